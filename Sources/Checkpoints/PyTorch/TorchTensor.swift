/// A tensor of a PyTorch file: a view of a storage.
struct TorchTensor: Equatable, Sendable {
  let storage: TorchStorage
  let info: TensorInfo
  /// Element of the storage that is the tensor's first.
  let offset: Int
  /// Elements of the storage from one index to the next, for each axis.
  let strides: [Int]

  /// Whether the elements lie in the storage in row-major order, without gaps.
  var isContiguous: Bool {
    var expected = 1
    for (extent, stride) in zip(info.shape, strides).reversed() where extent != 1 {
      guard stride == expected else { return false }
      expected *= extent
    }
    return true
  }
}

/// A run of elements in a file of its own inside the archive.
struct TorchStorage: Hashable, Sendable {
  /// Name of that file below `data/`.
  let key: String
  let type: TensorType
  let count: Int

  /// Bytes; the initialiser has checked that they are no more than an `Int`.
  var size: Int { count * type.size }
}

extension TorchTensor {
  /// Reads what `torch.Tensor.__reduce_ex__` or `torch.nn.Parameter.__reduce_ex__` wrote.
  /// - Throws: `FormatFlaw`: what the value is instead, to be read after the tensor's name.
  init(_ value: PickleValue) throws { try self.init(value, depth: 0) }

  private init(_ value: PickleValue, depth: Int) throws {
    let arguments = value.arguments
    guard depth < 4, let function = value.className else {
      throw FormatFlaw("is \(value.kind)", isSound: true)
    }
    switch function {
    case "torch._utils._rebuild_tensor" where arguments.count == 4,
      "torch._utils._rebuild_tensor_v2" where arguments.count >= 6:
      try self.init(view: arguments, type: nil, metadata: arguments.dropFirst(6).first)
    case "torch._utils._rebuild_tensor_v3" where arguments.count >= 7:
      guard let type = arguments[6].globalName.flatMap(TensorType.init(torchType:)) else {
        throw FormatFlaw(
          "has elements of the type \(shown(arguments[6].globalName ?? arguments[6].kind))", isSound: true)
      }
      try self.init(view: arguments, type: type, metadata: arguments.dropFirst(7).first)
    case "torch._utils._rebuild_parameter" where arguments.count >= 1,
      "torch._utils._rebuild_parameter_with_state" where arguments.count >= 1:
      try self.init(arguments[0], depth: depth + 1)
    case "torch._tensor._rebuild_from_type", "torch._tensor._rebuild_from_type_v2", "torch.tensor._rebuild_from_type":
      guard arguments.count == 4, let plain = value.call(arguments[0], with: arguments[2]) else {
        throw FormatFlaw("is not a tensor as PyTorch writes them")
      }
      try self.init(plain, depth: depth + 1)
    default: throw FormatFlaw("is \(value.kind)", isSound: true)
    }
  }

  /// - Parameters:
  ///   - arguments: storage, offset, size, stride, and more that does not matter here.
  ///   - type: of the elements, where the storage does not say it.
  ///   - metadata: whether the elements are to be negated or conjugated, as a dictionary.
  private init(view arguments: PickleValue.Elements, type: TensorType?, metadata: PickleValue?) throws {
    guard metadata.map({ $0.isNone || $0.isEmptyDictionary }) ?? true else {
      throw FormatFlaw("is a negated or conjugated view", isSound: true)
    }
    guard let offset = arguments[1].intValue, let shape = TorchTensor.integers(arguments[2]),
      let strides = TorchTensor.integers(arguments[3]), shape.count == strides.count
    else { throw FormatFlaw("has no offset, size and stride") }
    guard shape.count <= SafetensorsHeader.maximumRank else { throw FormatFlaw("has \(shape.count) axes") }
    storage = try TorchStorage(arguments[0], type: type)
    guard offset >= 0, shape.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 }) else {
      throw FormatFlaw("has a negative offset, size or stride")
    }
    guard let count = checkedProduct(shape), checkedProduct([count, storage.type.size]) != nil else {
      throw FormatFlaw("has a shape \(shape) too large to address")
    }
    if count > 0 {
      // The last element that the view reaches; it has to be one of the storage's.
      var last = offset
      for (extent, stride) in zip(shape, strides) {
        let (distance, overflow) = (extent - 1).multipliedReportingOverflow(by: stride)
        let (sum, sumOverflow) = last.addingReportingOverflow(distance)
        guard !overflow, !sumOverflow else { throw FormatFlaw("reaches beyond its storage") }
        last = sum
      }
      guard last < storage.count else {
        throw FormatFlaw("reaches element \(last) of a storage of \(storage.count)")
      }
    }
    info = TensorInfo(type: storage.type, shape: shape)
    self.offset = offset
    self.strides = strides
  }

  private static func integers(_ value: PickleValue) -> [Int]? {
    guard let elements = value.elements, elements.count <= 64 else { return nil }
    let integers = elements.compactMap(\.intValue)
    return integers.count == elements.count ? Array(integers) : nil
  }
}

extension TorchStorage {
  /// Reads the persistent identifier `("storage", class, key, device, number of elements)`.
  /// - Parameter type: of the elements, where the class does not say it.
  /// - Throws: `FormatFlaw`.
  fileprivate init(_ value: PickleValue, type: TensorType?) throws {
    guard let parts = value.persistentId?.elements, parts.count >= 5, parts[0].stringValue == "storage",
      let key = parts[2].stringValue, let count = parts[4].intValue, count >= 0
    else { throw FormatFlaw("has no storage") }
    let name = parts[1].globalName ?? ""
    let isUntyped = ["torch.storage.UntypedStorage", "torch.UntypedStorage"].contains(name)
    guard let type = isUntyped ? type : TensorType(torchType: name) else {
      throw FormatFlaw("has a storage of the type \(shown(name))", isSound: true)
    }
    // That of an untyped storage counts bytes.
    let unit = isUntyped ? type.size : 1
    guard count % unit == 0, checkedProduct([count / unit, type.size]) != nil else {
      throw FormatFlaw("has a storage too large to address")
    }
    self.init(key: key, type: type, count: count / unit)
  }
}

extension TensorType {
  /// By the name of a class of storages, or of a `torch.dtype`.
  init?(torchType name: String) {
    switch name {
    case "torch.FloatStorage", "torch.float32": self = .float32
    case "torch.HalfStorage", "torch.float16": self = .float16
    case "torch.BFloat16Storage", "torch.bfloat16": self = .bfloat16
    case "torch.DoubleStorage", "torch.float64": self = .float64
    case "torch.LongStorage", "torch.int64": self = .int64
    case "torch.IntStorage", "torch.int32": self = .int32
    case "torch.ShortStorage", "torch.int16": self = .int16
    case "torch.CharStorage", "torch.int8": self = .int8
    case "torch.ByteStorage", "torch.uint8": self = .uint8
    case "torch.BoolStorage", "torch.bool": self = .bool
    case "torch.uint16": self = .uint16
    case "torch.uint32": self = .uint32
    case "torch.uint64": self = .uint64
    default: return nil
    }
  }
}
