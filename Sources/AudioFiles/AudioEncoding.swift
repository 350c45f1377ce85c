import CSndfile

/// How an audio file is encoded.
public enum AudioEncoding: Sendable, Hashable {
  /// RIFF WAV; RF64 when it grows beyond 4 GiB.
  case wav(SampleFormat)
  /// Lossless compression; integers only.
  case flac(SampleFormat)
  /// MPEG layer III at a constant bit rate in kbit/s, 8 to 320; the nearest that the sample rate has is taken.
  case mp3(bitrate: Int)
  /// Ogg Vorbis at quality 8 of 10, about 256 kbit/s for stereo.
  case vorbis
  /// Ogg Opus at 96 kbit/s a channel.
  case opus

  /// Extension of the file's name, without a dot.
  public var fileExtension: String {
    switch self {
    case .wav: "wav"
    case .flac: "flac"
    case .mp3: "mp3"
    case .vorbis: "ogg"
    case .opus: "opus"
    }
  }

  /// Whether samples are stored as integers or not at all, so that they are cut at full scale.
  package var isBounded: Bool { self != .wav(.float32) }

  /// The sample rate in Hz that a file is written at where `rate` is wanted: the next that the encoding knows.
  package func sampleRate(near rate: Int) -> Int {
    guard let known = knownSampleRates else { return rate }
    return known.first { $0 >= rate } ?? known.last ?? rate
  }

  /// Ascending; nil where any will do, within limits.
  var knownSampleRates: [Int]? {
    switch self {
    case .wav, .flac, .vorbis: nil
    case .mp3: [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000]
    case .opus: [8000, 12000, 16000, 24000, 48000]
    }
  }

  /// Bit rates of MP3 in kbit/s that a sample rate has, ascending (ISO 11172-3, 13818-3 and "2.5").
  package static func mp3Bitrates(sampleRate: Int) -> [Int] {
    if sampleRate >= 32000 { return [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320] }
    let rates = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
    return sampleRate >= 16000 ? rates : Array(rates.prefix(8))
  }

  /// The bit rate in kbit/s that an MP3 file has where `bitrate` is wanted: the nearest, and of two the lower.
  package static func mp3Bitrate(near bitrate: Int, sampleRate: Int) -> Int {
    mp3Bitrates(sampleRate: sampleRate).min { abs($0 - bitrate) < abs($1 - bitrate) } ?? bitrate
  }

  /// What a file of a sample rate is not that it was to be, as clauses.
  /// - Parameter wantedRate: the sample rate asked for in Hz; nil where none was.
  package func compromises(sampleRate: Int, wantedRate: Int?) -> [String] {
    var clauses: [String] = []
    if let wantedRate, sampleRate != wantedRate {
      clauses.append(
        "the stems have \(sampleRate) Hz in place of the song's \(wantedRate), and so another number of samples, "
          + "as \(name) has no such rate; WAV has any")
    }
    if case .mp3(let wanted) = self {
      let bitrate = AudioEncoding.mp3Bitrate(near: wanted, sampleRate: sampleRate)
      if bitrate != wanted {
        let known = AudioEncoding.mp3Bitrates(sampleRate: sampleRate).map(String.init).joined(separator: ", ")
        clauses.append(
          "the stems have \(bitrate) kbit/s in place of \(wanted): at \(sampleRate) Hz MP3 has \(known)")
      }
    }
    return clauses
  }

  /// What a person calls it.
  private var name: String {
    switch self {
    case .wav: "WAV"
    case .flac: "FLAC"
    case .mp3: "MP3"
    case .vorbis: "Ogg Vorbis"
    case .opus: "Opus"
    }
  }

  /// What the samples are stored as; nil for a lossy encoding.
  var sampleFormat: SampleFormat? {
    switch self {
    case .wav(let format), .flac(let format): format
    case .mp3, .vorbis, .opus: nil
    }
  }

  /// libsndfile's code of container and encoding. Around a WAV's samples stands a header of our own.
  var code: Int {
    let samples =
      switch sampleFormat {
      case .int16: SF_FORMAT_PCM_16
      case .int24: SF_FORMAT_PCM_24
      case .float32: SF_FORMAT_FLOAT
      case nil: 0
      }
    return switch self {
    case .wav: SF_FORMAT_RAW | SF_ENDIAN_LITTLE | samples
    case .flac: SF_FORMAT_FLAC | samples
    case .mp3: SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III
    case .vorbis: SF_FORMAT_OGG | SF_FORMAT_VORBIS
    case .opus: SF_FORMAT_OGG | SF_FORMAT_OPUS
    }
  }

  var isMP3: Bool {
    if case .mp3 = self { true } else { false }
  }

  var isOgg: Bool { self == .vorbis || self == .opus }

  /// Why a file cannot be, as a clause; nil if it can.
  package func refusal(sampleRate: Int, channelCount: Int) -> String? {
    let (channels, rates): (Int, ClosedRange<Int>) =
      switch self {
      case .wav: (1024, 1...10_000_000)
      case .flac: (8, 1...655_350)
      case .mp3: (2, 8000...48000)
      case .vorbis: (8, 8000...192_000)
      case .opus: (8, 8000...48000)
      }
    if !(1...channels).contains(channelCount) {
      return "\(channelCount) channels, where 1 to \(channels) are possible"
    }
    if !rates.contains(sampleRate) {
      return "a sample rate of \(sampleRate) Hz, where \(rates.lowerBound) to \(rates.upperBound) are possible"
    }
    if let knownSampleRates, !knownSampleRates.contains(sampleRate) {
      return "a sample rate of \(sampleRate) Hz, where \(knownSampleRates.map(String.init).joined(separator: ", ")) "
        + "are possible"
    }
    if self == .flac(.float32) { return "FLAC holds no 32-bit floats, but integers of 16 or 24 bits" }
    return nil
  }
}
