import AudioFiles
import Foundation

/// How good the estimates of a song's stems are: `demucs-cli evaluate`.
public struct SongEvaluation: Sendable, Equatable {
  /// One stem.
  public struct Stem: Sendable, Equatable {
    public let name: String
    /// RMS over the song in dBFS, `SongEvaluation.lowest` at least.
    public let truthLevel: Double
    public let estimateLevel: Double
    /// Nil where the truth is silent: no ratio says anything about such a stem but the estimate's level.
    public let estimate: Scores?
    /// What the mixture, divided by the number of stems, would score.
    public let mixture: Scores?
  }

  /// Ratios in dB, none beyond `SongEvaluation.lowest` and `highest`; nil where one is undefined.
  public struct Scores: Sendable, Equatable {
    /// `SignalSums.nsdr`.
    public var nsdr: Double
    /// The median of BSSEval v4; nil where no second counts.
    public var sdr: Double?
    /// Nil for a silent estimate.
    public var siSDR: Double?
    public var isr: Double?
    public var sir: Double?
    public var sar: Double?
  }

  public let name: String
  /// Hz, of the estimates; the truth is resampled to it.
  public let sampleRate: Int
  /// Frames of the truth.
  public let frames: Int
  public let stems: [Stem]
  /// Stems that the mixture is divided by.
  public let stemCount: Int
  /// What is odd about the files, one line each.
  public let notes: [String]

  /// A stem whose truth is below this level, in dBFS RMS over the song, counts as silent.
  public static let silence = -60.0
  /// Bounds of every figure, so that one perfect or silent stem does not make a mean infinite.
  public static let lowest = -120.0
  public static let highest = 120.0

  /// Reads truth and estimates two or three times, a second at a time.
  /// - Parameters:
  ///   - song: the truth.
  ///   - estimates: paths by the name of the stem.
  ///   - filters: whether to find the filters of BSSEval too, for ISR, SIR and SAR.
  ///   - check: called every second of the song; what it throws ends the work.
  /// - Throws: `EvaluationError`, `AudioFileError`.
  public init(
    song: SongFolder, estimates: [String: String], filters: Bool = false, check: () throws -> Void = {}
  ) throws {
    if let fault = song.fault { throw fault }
    let material = try Material(song: song, estimates: estimates)
    let overview = try Overview(material, check: check)
    let sounding = material.names.indices.filter { overview.truthLevel($0) >= Self.silence }
    let scores = try Self.scores(material, overview, sounding: sounding, filters: filters, check: check)
    var seen: Set<String> = []
    var notes = material.notes + overview.notes(material) + scores.notes
    notes.removeAll { !seen.insert($0).inserted }

    (name, sampleRate, frames) = (song.name, material.sampleRate, overview.frames)
    (stemCount, self.notes) = (material.stemCount, notes)
    stems = material.names.indices.map { index in
      let position = sounding.firstIndex(of: index)
      return Stem(
        name: material.names[index], truthLevel: Self.bounded(overview.truthLevel(index)),
        estimateLevel: Self.bounded(overview.estimateLevel(index)), estimate: position.map { scores.estimate[$0] },
        mixture: position.map { scores.mixture[$0] })
    }
  }

  static func bounded(_ value: Double) -> Double { min(highest, max(lowest, value)) }

  private static func scores(
    _ material: Material, _ overview: Overview, sounding: [Int], filters: Bool, check: () throws -> Void
  ) throws -> (estimate: [Scores], mixture: [Scores], notes: [String]) {
    let truths = sounding.map { material.truths[$0] }
    let estimates = sounding.map { material.estimates[$0] }
    let window = material.sampleRate
    let projections =
      filters && !truths.isEmpty
      ? try BSSEvalFilters(
        references: truths, estimates: estimates, frames: overview.frames, window: min(window, overview.frames),
        song: material.name) : nil
    let silent = Set(sounding.indices.filter { overview.estimates[sounding[$0]].estimateEnergy == 0 })
    let isShort = overview.frames < window
    var frames = BSSEval(stems: truths.count, silentEstimates: silent, isOnlyFrame: isShort)
    var mixtureFrames = BSSEval(stems: truths.count, silentEstimates: [], isOnlyFrame: isShort)
    var (sums, mixtureSums) = (truths.map { _ in SignalSums() }, truths.map { _ in SignalSums() })

    // Without a file of its own the mixture is the sum of all stems, the silent ones too.
    let mixtures = material.mixture.map { [$0] } ?? material.allTruths
    let group = try SignalGroup(truths + estimates + mixtures)
    var (left, mixtureFrameCount) = (overview.frames, 0)
    while left > 0, let blocks = try group.next(frames: min(window, left)) {
      try check()
      let length = min(window, left)
      left -= length
      mixtureFrameCount += blocks.dropFirst(2 * truths.count).map(\.frameCount).max() ?? 0
      let padded = blocks.map { $0.padded(to: length) }
      let (truth, rest) = (Array(padded[..<truths.count]), padded[truths.count...])
      let estimate = Array(rest.prefix(truths.count))
      let share = AudioBuffer.sum(Array(rest.dropFirst(truths.count))).scaled(by: 1 / Float(material.stemCount))
      for index in truths.indices {
        sums[index].add(reference: truth[index], estimate: estimate[index])
        mixtureSums[index].add(reference: truth[index], estimate: share)
      }
      frames.add(references: truth, estimates: estimate, window: window, filters: projections)
      mixtureFrames.add(references: truth, estimates: truth.map { _ in share }, window: window)
    }
    return (
      truths.indices.map { Scores(sums[$0], frames, stem: $0) },
      truths.indices.map { Scores(mixtureSums[$0], mixtureFrames, stem: $0) },
      group.readers.flatMap(\.warnings) + overview.mixtureNotes(material, read: mixtureFrameCount)
    )
  }
}

extension SongEvaluation.Scores {
  init(_ sums: SignalSums, _ frames: BSSEval, stem: Int) {
    func bounded(_ value: Double?) -> Double? { value.map(SongEvaluation.bounded) }
    self.init(
      nsdr: SongEvaluation.bounded(sums.nsdr), sdr: bounded(frames.medianSDR(stem)), siSDR: bounded(sums.siSDR),
      isr: bounded(frames.median(stem, \.isr)), sir: bounded(frames.median(stem, \.sir)),
      sar: bounded(frames.median(stem, \.sar)))
  }
}

/// The files of a song as signals that go together.
private struct Material {
  let name: String
  /// Stems that have both a truth and an estimate.
  let names: [String]
  let truths: [Signal]
  let estimates: [Signal]
  /// Those without an estimate too.
  let allTruths: [Signal]
  let mixture: Signal?
  /// What the header of its file says; nil without one.
  let mixtureFormat: AudioFormat?
  let sampleRate: Int
  let channelCount: Int
  var stemCount: Int { allTruths.count }
  var notes: [String] = []

  init(song: SongFolder, estimates paths: [String: String]) throws {
    name = song.name
    let all = song.stems.keys.sorted(by: StemFiles.precedes)
    names = all.filter { paths[$0] != nil }
    let found = try names.map { try Signal(path: paths[$0] ?? "") }
    guard let first = found.first, let rate = first.sampleRate else {
      throw EvaluationError.noEstimates(song: song.name, folder: song.path)
    }
    let channels = first.channelCount
    for signal in found where signal.sampleRate != rate || signal.channelCount != channels {
      throw EvaluationError.unequalStems(
        song: song.name,
        what: "\(first.path) has \(channels) channels at \(rate) Hz, \(signal.path) \(signal.channelCount) at "
          + "\(signal.sampleRate ?? 0) Hz")
    }
    func signal(_ path: String?) throws -> Signal {
      try Signal(path: path ?? "", sampleRate: rate, channelCount: channels)
    }
    (sampleRate, channelCount) = (rate, channels)
    estimates = try names.map { try signal(paths[$0]) }
    allTruths = try all.map { try signal(song.stems[$0]) }
    truths = zip(all, allTruths).filter { paths[$0.0] != nil }.map(\.1)
    mixture = try song.mixture.map { try signal($0) }
    mixtureFormat = try song.mixture.map { try AudioFileReader(path: $0).format }
    notes = leftOut(song, all, paths)
    let formats = try all.map { ($0, try AudioFileReader(path: song.stems[$0] ?? "").format) }
    noteConversions(of: formats, noun: "truth")
    noteConversions(of: mixtureFormat.map { [("mixture", $0)] } ?? [], noun: "mixture")
  }

  /// What only one side has.
  private func leftOut(_ song: SongFolder, _ all: [String], _ paths: [String: String]) -> [String] {
    var notes = song.otherMixtures.map {
      "\(name): \($0) is called like a mixture and is no stem; left out."
        + (song.mixture == nil ? " Without mixture.* the mixture is the sum of the stems." : "")
    }
    let missing = all.filter { paths[$0] == nil }
    func note(_ side: String, _ stems: [String]) {
      if stems.isEmpty { return }
      let hasOther = names.contains("other") && stems.contains(where: StemFiles.order.contains)
      let low = hasOther ? " If the \(side) of other holds them too, other scores too low." : ""
      notes.append("\(name): no \(side) of \(stems.joined(separator: ", ")); left out.\(low)")
    }
    note("estimate", missing)
    let unknown = paths.keys.filter { song.stems[$0] == nil && $0 != "mixture" }.sorted(by: StemFiles.precedes)
    note("truth", unknown)
    return notes
  }

  /// Notes which files have another rate, or other channels, than the estimates.
  private mutating func noteConversions(of files: [(String, AudioFormat)], noun: String) {
    func note(_ own: (AudioFormat) -> Int, _ wanted: Int, _ text: (Int) -> String) {
      let groups = Dictionary(grouping: files) { own($0.1) }
      for (value, group) in groups.sorted(by: { $0.key < $1.key }) where value != wanted {
        let which = group.count == files.count ? "" : " of " + group.map(\.0).joined(separator: ", ")
        notes.append("\(name): the \(noun)\(which) \(text(value))")
      }
    }
    note(\.sampleRate, sampleRate) { "is resampled from \($0) to \(sampleRate) Hz, the rate of the estimates." }
    // Of more than two channels the file's own warning tells.
    if files.contains(where: { $0.1.channelCount > 2 }) { return }
    note(\.channelCount, channelCount) {
      "has \($0) channel\($0 == 1 ? "" : "s") and is taken as \(channelCount), as many as the estimates have."
    }
  }
}

/// Lengths and levels, which have to be known before anything is judged.
private struct Overview {
  private(set) var frames = 0
  /// Of each stem; reference and estimate are the same there.
  private(set) var truths: [SignalSums]
  private(set) var estimates: [SignalSums]
  private var estimateFrames: [Int]
  private var truthFrames: [Int]
  private var warnings: [String] = []

  init(_ material: Material, check: () throws -> Void) throws {
    let count = material.names.count
    truths = Array(repeating: SignalSums(), count: count)
    estimates = truths
    (truthFrames, estimateFrames) = (Array(repeating: 0, count: count), Array(repeating: 0, count: count))
    let group = try SignalGroup(material.truths + material.estimates)
    while let blocks = try group.next() {
      try check()
      for index in 0..<count {
        let (truth, estimate) = (blocks[index], blocks[count + index])
        truths[index].add(reference: truth, estimate: truth)
        estimates[index].add(reference: estimate, estimate: estimate)
        truthFrames[index] += truth.frameCount
        estimateFrames[index] += estimate.frameCount
      }
    }
    frames = truthFrames.max() ?? 0
    warnings = group.readers.flatMap(\.warnings)
  }

  func truthLevel(_ index: Int) -> Double { truths[index].referenceLevel }
  func estimateLevel(_ index: Int) -> Double { estimates[index].referenceLevel }

  func notes(_ material: Material) -> [String] {
    let names = material.names
    let truths = names.indices.filter { truthFrames[$0] != frames }.map {
      note(material, "truth of \(names[$0])", truthFrames[$0], "filled up with silence")
    }
    let estimates = names.indices.filter { estimateFrames[$0] != frames }.map {
      note(material, "estimate of \(names[$0])", estimateFrames[$0], "cut, or filled up with silence")
    }
    return warnings + truths + estimates
  }

  private func note(_ material: Material, _ what: String, _ count: Int, _ done: String) -> String {
    "\(material.name): the \(what) has \(count) frames, the truth \(frames); it is \(done)."
  }

  /// Of a mixture that is shorter than the truth as it was read, or longer by its header.
  ///
  /// Resampling makes or takes a few frames.
  func mixtureNotes(_ material: Material, read: Int) -> [String] {
    guard let format = material.mixtureFormat else { return [] }
    let isConverted = format.sampleRate != material.sampleRate
    let length = Double(format.frameCount ?? 0) * Double(material.sampleRate) / Double(format.sampleRate)
    let whole = max(read, Int(length.rounded()))
    let tolerance = isConverted ? 16 : 0
    if read < frames - tolerance { return [note(material, "mixture", read, "filled up with silence")] }
    return whole > frames + tolerance ? [note(material, "mixture", whole, "cut")] : []
  }
}
