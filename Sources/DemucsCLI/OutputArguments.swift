import ArgumentParser
import AudioFiles
import Separation

/// Where stems go and how they are stored.
struct OutputArguments: ParsableArguments {
  enum Depth: String, EnumerableFlag {
    case int24, float32

    static func help(for value: Depth) -> ArgumentHelp? {
      switch value {
      case .int24: "Write 24 bits a sample in place of 16 (WAV, FLAC)."
      case .float32: "Write 32-bit floats in place of 16-bit integers (WAV)."
      }
    }
  }

  enum Format: String, EnumerableFlag {
    case flac, mp3, ogg, opus

    static func help(for value: Format) -> ArgumentHelp? {
      switch value {
      case .flac: "Write FLAC in place of WAV."
      case .mp3: "Write MP3."
      case .ogg: "Write Ogg Vorbis, quality 8."
      case .opus: "Write Ogg Opus at 96 kbit/s a channel; at 48 kHz, or the next rate that Opus has."
      }
    }
  }

  /// What demucs uses.
  private static let standardFolder: FilePath = "separated"

  @Option(
    name: [.customShort("o", allowingJoined: true), .long],
    help: ArgumentHelp("Folder for the stems; a subfolder is named after the model.", valueName: "dir"),
    completion: .directory)
  var out = OutputArguments.standardFolder

  @Option(
    help: ArgumentHelp(
      "Name of each stem's file, made of {track}, {trackext}, {dir}, {stem} and {ext}.", valueName: "template"))
  var filename = FilenameTemplate.standard.text

  @Flag(exclusivity: .exclusive) var depth: Depth?

  @Flag(exclusivity: .exclusive) var format: Format?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Bit rate of MP3 in kbit/s, 8 to 320; the nearest that MP3 has at the rate of the files. (default: 320)",
      valueName: "n"))
  var mp3Bitrate: Int?

  // libsndfile sets LAME's bit rate alone, and leaves how hard it searches (`lame_set_quality`, demucs' preset) as it is.
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Taken for the sake of scripts for demucs, 2 to 7, and of no effect.", visibility: .hidden))
  var mp3Preset: Int?

  @Option(
    help: ArgumentHelp("Sample rate of the files: the model's, or that of the song's file.", valueName: "rate"))
  var rate = StemWriter.Rate.model

  @Option(
    help: ArgumentHelp(
      "What to do with stems beyond full scale; rescale treats each stem by itself, rescale-all keeps them in "
        + "proportion. (default: rescale; with --mixture-consistent rescale-all)", valueName: "mode"))
  var clipMode: ClipMode?

  @Flag(help: "Do not copy the song's tags (title, artist and so on) into the files.")
  var noTags = false

  mutating func validate() throws {
    do {
      _ = try FilenameTemplate(filename)
    } catch {
      throw ValidationError("\(error)")
    }
    if let mp3Bitrate, !(8...320).contains(mp3Bitrate) {
      throw ValidationError("--mp3-bitrate is \(mp3Bitrate); it must be 8 to 320.")
    }
    if let mp3Preset, !(2...7).contains(mp3Preset) {
      throw ValidationError("--mp3-preset is \(mp3Preset); it must be 2 to 7.")
    }
    if let depth, let format, format != .mp3, format != .flac || depth == .float32 {
      throw ValidationError(
        "--\(depth.rawValue) does not go with --\(format.rawValue): "
          + (format == .flac ? "FLAC holds no floats; use --int24." : "that format has no sample size."))
    }
  }

  /// What was asked for and makes no difference.
  /// - Parameter isRecursive: whether folders are searched, where the folder of results is left out.
  func notes(isRecursive: Bool) -> [String] { (isRecursive ? [] : placeNotes) + formatNotes }

  private var placeNotes: [String] {
    guard filename.isAbsolute, out != OutputArguments.standardFolder else { return [] }
    return ["--out makes no difference beside a --filename that begins with a slash: files go where that says."]
  }

  /// As in demucs.
  private var formatNotes: [String] {
    guard format == .mp3 else {
      let given = [mp3Bitrate.map { _ in "--mp3-bitrate" }, mp3Preset.map { _ in "--mp3-preset" }].compactMap { $0 }
      return given.map { "\($0) makes no difference without --mp3." }
    }
    let depthNote = depth.map { "--\($0.rawValue) makes no difference to MP3, which has no sample size." }
    let presetNote = mp3Preset.map { _ in "--mp3-preset makes no difference: LAME searches as hard as it always does." }
    return [depthNote, presetNote].compactMap { $0 }
  }

  var encoding: AudioEncoding {
    let samples: SampleFormat =
      switch depth {
      case .int24: .int24
      case .float32: .float32
      case nil: .int16
      }
    return switch format {
    case nil: .wav(samples)
    case .flac: .flac(samples)
    case .mp3: .mp3(bitrate: mp3Bitrate ?? 320)
    case .ogg: .vorbis
    case .opus: .opus
    }
  }

  func layout(model: String) throws -> OutputLayout {
    OutputLayout(
      root: out, model: model, template: try FilenameTemplate(filename), fileExtension: encoding.fileExtension)
  }
}

extension ClipMode: ExpressibleByArgument {}
extension StemWriter.Rate: ExpressibleByArgument {}
