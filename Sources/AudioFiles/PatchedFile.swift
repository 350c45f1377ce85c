import CSndfile
import Glibc

/// A file some bytes of which libsndfile reads otherwise than they are.
final class PatchedFile {
  /// What takes the place of a range of bytes: as many, more, or fewer.
  struct Patch {
    let range: Range<Int>
    let bytes: [UInt8]

    init(_ range: Range<Int>, _ bytes: [UInt8]) { (self.range, self.bytes) = (range, bytes) }
  }

  private enum Piece {
    case file(Range<Int>)
    case bytes([UInt8])

    var count: Int {
      switch self {
      case .file(let range): range.count
      case .bytes(let bytes): bytes.count
      }
    }
  }

  private let descriptor: FileDescriptor
  private let pieces: [Piece]
  private let byteCount: Int
  private var position = 0
  /// The error number of the system where it did not deliver bytes, which libsndfile has no way to be told.
  private(set) var failure: Int32?

  /// - Parameter patches: in ascending order, and not beyond the end of the file.
  init(_ descriptor: FileDescriptor, _ patches: [Patch]) {
    var pieces: [Piece] = []
    var end = 0
    for patch in patches {
      pieces += [.file(end..<patch.range.lowerBound), .bytes(patch.bytes)]
      end = patch.range.upperBound
    }
    self.pieces = pieces + [.file(end..<max(end, descriptor.size))]
    self.descriptor = descriptor
    byteCount = self.pieces.reduce(0) { $0 + $1.count }
  }

  /// Has libsndfile open it. The handle may not outlive this object.
  func open(_ info: inout SF_INFO) -> OpaquePointer? {
    var calls = SF_VIRTUAL_IO(
      get_filelen: { PatchedFile.from($0).map { sf_count_t($0.byteCount) } ?? 0 },
      seek: { PatchedFile.from($2)?.seek(by: Int($0), from: $1) ?? -1 },
      read: {
        sf_count_t(PatchedFile.from($2)?.read(into: UnsafeMutableRawBufferPointer(start: $0, count: Int($1))) ?? 0)
      },
      write: { _, _, _ in 0 },
      tell: { sf_count_t(PatchedFile.from($0)?.position ?? 0) })
    return sf_open_virtual(&calls, Int32(SFM_READ), &info, Unmanaged.passUnretained(self).toOpaque())
  }

  private static func from(_ pointer: UnsafeMutableRawPointer?) -> PatchedFile? {
    pointer.map { Unmanaged<PatchedFile>.fromOpaque($0).takeUnretainedValue() }
  }

  private func seek(by offset: Int, from origin: Int32) -> sf_count_t {
    let start =
      switch origin {
      case SEEK_CUR: position
      case SEEK_END: byteCount
      default: 0
      }
    let (sum, isTooFar) = start.addingReportingOverflow(offset)
    guard !isTooFar, sum >= 0 else { return -1 }
    position = sum
    return sf_count_t(position)
  }

  /// - Returns: the bytes that were read, fewer than `target` takes at the end or when reading fails.
  private func read(into target: UnsafeMutableRawBufferPointer) -> Int {
    var done = 0
    var start = 0
    for piece in pieces where done < target.count {
      defer { start += piece.count }
      let offset = position - start
      guard (0..<piece.count).contains(offset) else { continue }
      let part = UnsafeMutableRawBufferPointer(rebasing: target[done..<min(target.count, done + piece.count - offset)])
      switch piece {
      case .bytes(let bytes): part.copyBytes(from: bytes[offset..<offset + part.count])
      case .file(let range):
        let code = descriptor.read(into: part, at: range.lowerBound + offset)
        guard code == 0 else {
          failure = code
          return done
        }
      }
      done += part.count
      position += part.count
    }
    return done
  }
}
