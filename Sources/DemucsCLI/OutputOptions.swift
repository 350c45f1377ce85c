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

  @Option(
    name: [.customShort("o", allowingJoined: true), .long],
    help: ArgumentHelp("Folder for the stems; a subfolder is named after the model.", valueName: "dir"),
    completion: .directory)
  var out: FilePath = "separated"

  @Option(
    help: ArgumentHelp(
      "Name of each stem's file, made of {track}, {trackext}, {dir}, {stem} and {ext}.", valueName: "template"))
  var filename = FilenameTemplate.standard.text

  @Flag(exclusivity: .exclusive) var depth: Depth?

  @Flag(exclusivity: .exclusive) var format: Format?

  @Option(help: ArgumentHelp("Bit rate of MP3 in kbit/s, 8 to 320.", valueName: "n"))
  var mp3Bitrate = 320

  // libsndfile leaves the quality of LAME's search to LAME.
  @Option(
    help: ArgumentHelp("Taken for the sake of scripts for demucs, 2 to 7, and of no effect.", visibility: .hidden))
  var mp3Preset = 2

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
    guard (8...320).contains(mp3Bitrate) else {
      throw ValidationError("--mp3-bitrate is \(mp3Bitrate); it must be 8 to 320.")
    }
    guard (2...7).contains(mp3Preset) else {
      throw ValidationError("--mp3-preset is \(mp3Preset); it must be 2 to 7.")
    }
    if let depth, let format, format != .mp3, format != .flac || depth == .float32 {
      throw ValidationError(
        "--\(depth.rawValue) does not go with --\(format.rawValue): "
          + (format == .flac ? "FLAC holds no floats; use --int24." : "that format has no sample size."))
    }
  }

  /// What was asked for and makes no difference, as in demucs.
  var notes: [String] {
    depth.map { format == .mp3 ? ["--\($0.rawValue) makes no difference to MP3, which has no sample size."] : [] } ?? []
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
    case .mp3: .mp3(bitrate: mp3Bitrate)
    case .ogg: .vorbis
    case .opus: .opus
    }
  }

  func layout(model: String) throws -> OutputLayout {
    OutputLayout(
      root: out, model: model, template: try FilenameTemplate(filename), fileExtension: encoding.fileExtension)
  }
}

/// Which stems are written.
struct StemArguments: ParsableArguments {
  @Option(help: ArgumentHelp("Write these stems alone: names with commas between them.", valueName: "a,b"))
  var stems: String?

  @Option(help: ArgumentHelp("Write this stem and one of all the others.", valueName: "stem"))
  var twoStems: String?

  @Option(
    help: ArgumentHelp(
      "The second of two stems: no_STEM, the others added up; minus_STEM, the mix less the stem; or none.",
      valueName: "method"))
  var otherMethod = StemSelection.Complement.add

  @Option(
    help: ArgumentHelp(
      "Make the files add up to the mix: distribute what is in no stem over all stems, or write it as the stem "
        + "residual.", valueName: "way"))
  var mixtureConsistent: StemSelection.Consistency?

  mutating func validate() throws {
    if stems != nil, twoStems != nil {
      throw ValidationError("--stems and --two-stems exclude each other.")
    }
    if let stems, stems.split(separator: ",", omittingEmptySubsequences: false).contains(where: \.isEmpty) {
      throw ValidationError("--stems is '\(stems)'; give names with commas between them, such as drums,bass.")
    }
  }

  var selection: StemSelection {
    let choice: StemSelection.Choice =
      if let twoStems {
        .pair(twoStems, otherMethod)
      } else if let stems {
        .only(stems.split(separator: ",").map(String.init))
      } else {
        .all
      }
    return StemSelection(choice, consistency: mixtureConsistent)
  }
}

extension ClipMode: ExpressibleByArgument {}
extension StemWriter.Rate: ExpressibleByArgument {}
extension StemSelection.Complement: ExpressibleByArgument {}
extension StemSelection.Consistency: ExpressibleByArgument {}
