import CCrypto
import Foundation

/// SHA-256 of files, by OpenSSL.
public enum Checksum {
  /// The checksum of a file, read in blocks.
  /// - Parameter check: called between blocks; what it throws ends the reading.
  /// - Returns: 64 hexadecimal digits in lower case.
  /// - Throws: `ModelStoreError.unreadable`.
  public static func sha256(of path: String, check: () throws -> Void = {}) throws -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw ModelStoreError.unreadable(path: path, reason: systemReason()) }
    defer { close(descriptor) }
    guard let checksum = try sha256(of: descriptor, check: check) else {
      throw ModelStoreError.unreadable(path: path, reason: systemReason())
    }
    return checksum
  }

  /// The checksum of what is left to read of an open file.
  /// - Parameters: as of `sha256(of:check:)`.
  /// - Returns: nil if the system does not deliver it; the reason is in `errno`.
  package static func sha256(of descriptor: Int32, check: () throws -> Void) throws -> String? {
    guard let context = EVP_MD_CTX_new() else {
      errno = ENOMEM
      return nil
    }
    defer { EVP_MD_CTX_free(context) }
    guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      errno = ENOSYS
      return nil
    }
    var block = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      try check()
      let count = block.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { return nil }
      if count == 0 { break }
      EVP_DigestUpdate(context, block, count)
    }
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var length: UInt32 = 0
    EVP_DigestFinal_ex(context, &digest, &length)
    return digest.prefix(Int(length)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// Whether `text` is the beginning of a checksum: 8 to 64 hexadecimal digits in lower case.
  static func isPrefix(_ text: some StringProtocol) -> Bool {
    (8...64).contains(text.utf8.count)
      && text.utf8.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
  }

  /// The beginning of the checksum that is part of a file's name, as in `5c90dfd2-34c22ccb.th`; nil without one.
  public static func prefix(inNameOf path: String) -> String? {
    let file = fileName(path)
    guard file.hasSuffix(".th"), let dash = file.lastIndex(of: "-") else { return nil }
    let text = file[file.index(after: dash)...].dropLast(3)
    return isPrefix(text) ? String(text) : nil
  }
}

/// The system's words for the error that the last call left.
func systemReason(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }

/// The last component of a path.
func fileName(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
