import Foundation

/// The most memory that this program has held.
package enum PeakMemory {
  /// Bytes of the resident set at its highest.
  ///
  /// `getrusage` would also count the program that started this one: what it held then is inherited across `exec`.
  package static var bytes: Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    for line in status.split(separator: "\n") where line.hasPrefix("VmHWM:") {
      if let kibibytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) }) {
        return kibibytes << 10
      }
    }
    var usage = rusage()
    return getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 ? usage.ru_maxrss << 10 : 0
  }
}
