import Foundation
import Tensors

/// Gives damaged files to a reader, one after the other. Each must end in content or in an error that a person can use.
///
/// Whatever kills the process, or takes longer than `secondsLimit`, leaves the file behind that did it.
public struct Fuzzer {
  /// What became of the cases.
  public struct Report {
    public var cases = 0
    /// Cases that could be read to the end, in spite of the damage.
    public var read = 0
    /// What must not be, and the case that did it.
    public var faults: [(number: Int, fault: String)] = []
    public var slowest: (number: Int, seconds: Double) = (0, 0)
    /// The case after which the process's memory had its peak, in bytes.
    public var largest: (number: Int, peak: Int) = (0, 0)

    public init() {}

    /// Adds what became of further cases.
    public mutating func add(_ other: Report) {
      cases += other.cases
      read += other.read
      faults += other.faults
      if other.slowest.seconds > slowest.seconds { slowest = other.slowest }
      if other.largest.peak > largest.peak { largest = other.largest }
    }
  }

  /// After so many seconds a case is taken for one that never ends, and the process is killed by SIGALRM.
  public static let secondsLimit: UInt32 = 10

  /// Where each case lies while it is read.
  public let path: String
  private let makeCase: (UInt64) -> [UInt8]
  private let read: (String) throws -> String?
  private let judge: (any Error) -> String?

  /// - Parameters:
  ///   - path: where each case lies while it is read.
  ///   - makeCase: a damaged file, which depends on the given seed alone.
  ///   - read: reads the file; what was wrong with the content, nil if nothing.
  ///   - judge: what is wrong with an error of `read`'s, nil if nothing.
  public init(
    path: String, makeCase: @escaping (UInt64) -> [UInt8], read: @escaping (String) throws -> String?,
    judge: @escaping (any Error) -> String?
  ) {
    (self.path, self.makeCase, self.read, self.judge) = (path, makeCase, read, judge)
  }

  /// Runs the cases numbered `range` of a seed. A case depends on the seed and its number alone.
  public func run(_ range: Range<Int>, seed: UInt64) throws -> Report {
    var report = Report()
    for number in range {
      try Data(makeCase(seed &+ UInt64(number) &* 0x9E37_79B9_7F4A_7C15)).write(to: URL(filePath: path))
      let start = ContinuousClock.now
      alarm(Fuzzer.secondsLimit)
      let fault: String?
      do {
        fault = try read(path)
        report.read += 1
      } catch {
        fault = judge(error)
      }
      alarm(0)
      if let fault { report.faults.append((number, fault)) }
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      if seconds > report.slowest.seconds { report.slowest = (number, seconds) }
      let peak = PeakMemory.bytes
      if peak > report.largest.peak { report.largest = (number, peak) }
      report.cases += 1
    }
    return report
  }
}
