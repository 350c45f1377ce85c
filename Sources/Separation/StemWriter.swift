import AudioFiles

/// Says which stems of a track are written, where and how. A file under a stem's name is always whole.
public struct StemWriter: Sendable {
  /// The sample rate of the files.
  public enum Rate: String, CaseIterable, Sendable {
    /// That of the model.
    case model
    /// That of the song's file; as many frames as it has.
    case original
  }

  /// Where files go.
  public let layout: OutputLayout
  /// Which files there are.
  public let selection: StemSelection
  /// How samples are stored.
  public let encoding: AudioEncoding
  /// The sample rate wanted; an encoding that does not know it takes the next higher that it knows.
  public let rate: Rate
  /// What is done to stems beyond full scale.
  public let clipMode: ClipMode
  /// Whether the song's title, artist and so on go into the files, the name of the stem behind the title.
  public let copiesTags: Bool
  /// What a record beside the stems says they were made of, so that `Separator.measure` can find them done; nil keeps no
  /// records.
  public var provenance: Provenance?
  let temporaryFiles: TemporaryFiles

  /// - Parameter layout: its extension is that of the encoding.
  public init(
    layout: OutputLayout, selection: StemSelection = StemSelection(), encoding: AudioEncoding, rate: Rate = .model,
    clipMode: ClipMode = .rescale, copiesTags: Bool = true, temporaryFiles: TemporaryFiles = .shared
  ) {
    self.layout = layout
    self.selection = selection
    self.encoding = encoding
    self.rate = rate
    self.clipMode = clipMode
    self.copiesTags = copiesTags
    self.temporaryFiles = temporaryFiles
  }

  /// All stems as WAV files.
  public init(
    layout: OutputLayout, clipMode: ClipMode = .rescale, sampleFormat: SampleFormat = .int16,
    copiesTags: Bool = true, temporaryFiles: TemporaryFiles = .shared
  ) {
    self.init(
      layout: layout, encoding: .wav(sampleFormat), clipMode: clipMode, copiesTags: copiesTags,
      temporaryFiles: temporaryFiles)
  }

  /// Where to keep what comes out of a pipe: the folder of the stems, or the innermost around it that is there already.
  /// There is room for what is as long as they are; `/tmp` may be memory.
  public var spoolFolder: FilePath { OutputLayout.existingFolder(around: layout.folder) }

  /// The files that the stems of a song go to, in the order of `stems`.
  /// - Throws: `OutputError`: a name that cannot be, a folder that cannot be written, a stem in the song's place.
  public func plan(song: Song, stems: [String]) throws -> [FilePath] {
    let paths = try stems.map { try layout.path(song: song, stem: $0) }
    var places = FilePlaces()
    let files = paths + paths.prefix(1).map(TrackRecord.path)
    if let own = song.identity, let path = files.first(where: { places.file(at: $0) == own }) {
      throw OutputError.wouldReplaceInput(path: path)
    }
    try OutputLayout.checkWritable(paths)
    return paths
  }

  /// Writes whole stems, at their own rate: the selection is not asked.
  /// - Parameters:
  ///   - stems: what `Separator.separate` returned.
  ///   - song: what they are named after.
  ///   - sampleRate: Hz.
  /// - Returns: the files written, in the order of `stems`. Files of those names are replaced.
  /// - Throws: `OutputError` or `AudioFileError`; nothing is left under a temporary name then, and under a stem's
  ///   name only what was there before or is whole.
  public func write(_ stems: [Separator.Stem], song: Song, sampleRate: Int) throws -> [FilePath] {
    let paths = try plan(song: song, stems: stems.map(\.name))
    let formats = stems.map { stem in
      format(
        sourceRate: sampleRate, sampleRate: sampleRate, frameCount: stem.audio.frameCount,
        channelCount: stem.audio.channelCount)
    }
    let files = try StemFiles(names: stems.map(\.name), paths: paths, formats: formats, writer: self)
    defer { files.discard() }
    for (index, stem) in stems.enumerated() { try files.append(stem.audio, to: index) }
    _ = try files.finish()
    return paths
  }

  /// What the files of a track are to be.
  /// - Parameters:
  ///   - track: the song.
  ///   - sampleRate: Hz of the model.
  ///   - channelCount: channels of the model.
  func format(of track: FileTrack, sampleRate: Int, channelCount: Int) -> StemFile.Format {
    let fileRate = fileRate(songRate: track.format.sampleRate, modelRate: sampleRate)
    let songRate = track.format.sampleRate
    // The samples are brought to a third rate by way of the model's. Their number is rounded once all the same, from the
    // song's own: by way of the model's it would be off by one now and then. What that lacks is filled up.
    let exact = Resampler.frameCount(of: track.fileFrameCount, from: songRate, to: fileRate)
    let frameCount = fileRate == sampleRate ? track.measured.length : exact ?? track.measured.length
    return format(sourceRate: sampleRate, sampleRate: fileRate, frameCount: frameCount, channelCount: channelCount)
  }

  /// Finds out whether files could be written of a song, as far as its header tells.
  /// - Parameters:
  ///   - path: what an error names.
  ///   - songRate: Hz of the song.
  ///   - modelRate: Hz of the model.
  ///   - channelCount: channels of the model.
  /// - Throws: `AudioFileError.unsupportedOutput`.
  public func checkFormat(of path: FilePath, songRate: Int, modelRate: Int, channelCount: Int) throws {
    let sampleRate = fileRate(songRate: songRate, modelRate: modelRate)
    _ = try format(sourceRate: modelRate, sampleRate: sampleRate, frameCount: 0, channelCount: channelCount)
      .makeResampler(for: path)
  }

  /// What the encoding makes of the options for a song, one line each.
  /// - Parameters:
  ///   - songRate: Hz of the song; nil where it is not known yet, and nothing is said of it.
  ///   - modelRate: Hz of the model.
  public func compromises(of song: Song, songRate: Int?, modelRate: Int) -> [String] {
    guard let rate = rate == .model ? modelRate : songRate else { return [] }
    return encoding.compromises(
      sampleRate: encoding.sampleRate(near: rate), wantedRate: self.rate == .original ? rate : nil
    ).map { "\(song): \($0)." }
  }

  private func fileRate(songRate: Int, modelRate: Int) -> Int {
    encoding.sampleRate(near: rate == .original ? songRate : modelRate)
  }

  private func format(sourceRate: Int, sampleRate: Int, frameCount: Int, channelCount: Int) -> StemFile.Format {
    StemFile.Format(
      encoding: encoding, sourceRate: sourceRate, sampleRate: sampleRate, channelCount: channelCount,
      frameCount: frameCount)
  }
}
