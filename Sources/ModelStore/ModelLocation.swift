/// A model that was found: one network, or a bag of several whose results are averaged.
public struct ModelLocation: Sendable, Equatable {
  /// What the model is called, and the folder of its results: the name that was asked for, or the file's without its
  /// extension.
  public let name: String
  /// The file that says what the model is: the bag's YAML if it has one, else the first network's file.
  public let path: String
  /// Files of the networks, of safetensors or of PyTorch, in order; one for a model that is no bag. A bag may have one twice.
  public let members: [String]
  /// For each network the weight of each source in the average; nil weighs all alike.
  public let weights: [[Double]]?
  /// Seconds of a segment, in place of what the networks were trained on.
  public let segment: Double?

  /// A model of one network.
  public init(name: String, path: String) {
    self.init(name: name, path: path, members: [path])
  }

  /// A bag.
  public init(
    name: String, path: String, members: [String], weights: [[Double]]? = nil, segment: Double? = nil
  ) {
    self.name = name
    self.path = path
    self.members = members
    self.weights = weights
    self.segment = segment
  }

  /// Files of the model, each once: those of its networks and the bag's.
  public var files: [String] {
    var seen: Set<String> = []
    return ([path] + members).filter { seen.insert($0).inserted }
  }
}
