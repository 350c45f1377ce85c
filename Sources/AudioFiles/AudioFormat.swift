import CSndfile

/// What the header of an audio file says.
public struct AudioFormat: Sendable, Equatable, CustomStringConvertible {
  /// Hz, at least 1.
  public let sampleRate: Int

  /// 1 to 1024.
  public let channelCount: Int

  /// Frames as the header says, which may be a lie; nil where it does not say (an Ogg
  /// stream cut short, FLAC out of a pipe).
  public let frameCount: Int?

  /// Container and encoding, for example "WAV 16-bit PCM".
  public let description: String
}

/// Container and encoding of a libsndfile format code, for a person.
func formatDescription(_ code: Int32) -> String {
  let container =
    switch Int(code) & SF_FORMAT_TYPEMASK {
    case SF_FORMAT_WAV: "WAV"
    case SF_FORMAT_WAVEX: "WAV (extensible)"
    case SF_FORMAT_RF64: "RF64"
    case SF_FORMAT_W64: "W64"
    case SF_FORMAT_AIFF: "AIFF"
    case SF_FORMAT_FLAC: "FLAC"
    case SF_FORMAT_OGG: "Ogg"
    case SF_FORMAT_MPEG: "MPEG"
    case SF_FORMAT_CAF: "CAF"
    case SF_FORMAT_AU: "AU"
    default: "Audio"
    }
  let encoding: String? =
    switch Int(code) & SF_FORMAT_SUBMASK {
    case SF_FORMAT_PCM_S8, SF_FORMAT_PCM_U8: "8-bit PCM"
    case SF_FORMAT_PCM_16: "16-bit PCM"
    case SF_FORMAT_PCM_24: "24-bit PCM"
    case SF_FORMAT_PCM_32: "32-bit PCM"
    case SF_FORMAT_FLOAT: "32-bit float"
    case SF_FORMAT_DOUBLE: "64-bit float"
    case SF_FORMAT_VORBIS: "Vorbis"
    case SF_FORMAT_OPUS: "Opus"
    case SF_FORMAT_MPEG_LAYER_I: "Layer I"
    case SF_FORMAT_MPEG_LAYER_II: "Layer II"
    case SF_FORMAT_MPEG_LAYER_III: "Layer III"
    case SF_FORMAT_ULAW: "µ-law"
    case SF_FORMAT_ALAW: "A-law"
    default: nil
    }
  return encoding.map { "\(container) \($0)" } ?? container
}

/// Bytes of one stored sample; nil for encodings that are compressed.
func bytesPerSample(_ code: Int32) -> Int? {
  switch Int(code) & SF_FORMAT_SUBMASK {
  case SF_FORMAT_PCM_S8, SF_FORMAT_PCM_U8, SF_FORMAT_ULAW, SF_FORMAT_ALAW: 1
  case SF_FORMAT_PCM_16: 2
  case SF_FORMAT_PCM_24: 3
  case SF_FORMAT_PCM_32, SF_FORMAT_FLOAT: 4
  case SF_FORMAT_DOUBLE: 8
  default: nil
  }
}
