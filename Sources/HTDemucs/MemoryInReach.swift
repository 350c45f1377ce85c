import Foundation
import Tensors

/// Memory that this process can have: of the machine, of its control group (a container, a job of a cluster) and below its
/// limit on address space (`ulimit -v`).
package struct MemoryInReach: Equatable, Sendable {
  /// What the machine and the control group have in all, in bytes.
  package var most: Int
  /// What can be had now without swapping; nil if it is not known.
  package var available: Int?
  /// Bytes below the limit on address space; nil where there is none.
  package var free: Int?

  /// As it is now.
  package static var now: MemoryInReach { MemoryInReach(root: "/", free: AddressSpace.freeBytes) }

  /// What is the same all the time.
  static let machine: MemoryInReach = {
    var memory = MemoryInReach.now
    (memory.available, memory.free) = (nil, nil)
    return memory
  }()

  /// - Parameters:
  ///   - root: of the file system that has /proc and /sys.
  ///   - free: bytes below the limit on address space; nil where there is none.
  package init(root: String, free: Int?) {
    let machine = Self.numbers(root + "proc/meminfo")
    let group = ControlGroup.limits(root: root)
    // In KiB.
    let memory = machine["MemTotal:"].map { $0 << 10 } ?? Int(clamping: ProcessInfo.processInfo.physicalMemory)
    self.free = free
    most = min(memory, group?.limit ?? .max)
    available = [machine["MemAvailable:"].map { $0 << 10 }, group?.available, free].compactMap(\.self).min()
  }

  /// The lines of a file that are a name and a number.
  static func numbers(_ path: String) -> [String: Int] {
    let lines = (try? String(contentsOfFile: path, encoding: .utf8))?.split(separator: "\n") ?? []
    let pairs = lines.compactMap { line -> (String, Int)? in
      let words = line.split(separator: " ")
      return words.count >= 2 ? Int(words[1]).map { (String(words[0]), $0) } : nil
    }
    return Dictionary(pairs) { first, _ in first }
  }
}

/// The memory of a control group of Linux, of version 1 or 2.
private enum ControlGroup {
  /// What the group and those around it leave, in bytes.
  /// - Returns: nil where nothing is limited.
  static func limits(root: String) -> (limit: Int, available: Int)? {
    folders(root: root).compactMap { folder -> (limit: Int, available: Int)? in
      for names in [("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")] {
        // "max" is no number; without a limit version 1 has one that no machine has.
        guard let limit = number(folder + names.0), limit < 1 << 60 else { continue }
        let statistics = MemoryInReach.numbers(folder + "memory.stat")
        // Files that were read go when memory is wanted.
        let cache = ["inactive_file", "active_file"].reduce(0) { sum, name in
          // Version 1 counts the groups within apart.
          sum + (statistics["total_" + name] ?? statistics[name] ?? 0)
        }
        return (limit, max(0, limit - max(0, (number(folder + names.1) ?? 0) - cache)))
      }
      return nil
    }.reduce(nil) { least, next in
      (min(least?.limit ?? .max, next.limit), min(least?.available ?? .max, next.available))
    }
  }

  /// The folders of this process' group and of all around it. In a container the outermost is its own.
  private static func folders(root: String) -> [String] {
    guard let text = try? String(contentsOfFile: root + "proc/self/cgroup", encoding: .utf8) else { return [] }
    return text.split(separator: "\n").flatMap { line -> [String] in
      // Number, controllers, path: version 2 has neither of the first.
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { return [] }
      let mount: String
      switch parts[1] {
      case "": mount = "sys/fs/cgroup"
      case "memory": mount = "sys/fs/cgroup/memory"
      default: return []
      }
      var names = parts[2].split(separator: "/").map(String.init)
      var folders: [String] = []
      while true {
        folders.append(root + ([mount] + names).joined(separator: "/") + "/")
        if names.popLast() == nil { return folders }
      }
    }
  }

  private static func number(_ path: String) -> Int? {
    (try? String(contentsOfFile: path, encoding: .utf8)).flatMap {
      Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
    }
  }
}
