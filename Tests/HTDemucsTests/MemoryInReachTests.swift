import Checkpoints
import Foundation
import HTDemucs
import Testing

/// Memory that the machine, control groups and a limit on address space leave.
final class MemoryInReachTests {
  private let root: URL

  /// A machine of 16 GiB, 12 of them available.
  init() throws {
    root = FileManager.default.temporaryDirectory.appendingPathComponent("memory-\(UUID().uuidString)")
    try write("proc/meminfo", "MemTotal:       16777216 kB\nMemFree: 1024 kB\nMemAvailable:   12582912 kB\n")
  }

  deinit { try? FileManager.default.removeItem(at: root) }

  private func write(_ path: String, _ text: String) throws {
    let file = root.appendingPathComponent(path)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try text.write(to: file, atomically: false, encoding: .utf8)
  }

  /// What is found there, in MiB.
  private func memory(free: Int? = nil) -> (most: Int, available: Int?) {
    let memory = MemoryInReach(root: root.path + "/", free: free.map { $0 << 20 })
    return (memory.most >> 20, memory.available.map { $0 >> 20 })
  }

  @Test func theMachineItself() throws {
    #expect(memory() == (16384, 12288))
    try write("proc/self/cgroup", "0::/\n")
    #expect(memory() == (16384, 12288))
    try write("sys/fs/cgroup/memory.max", "max\n")
    #expect(memory() == (16384, 12288))
  }

  /// The limit on address space is no memory of its own: what is left below it counts.
  @Test func addressSpaceThatIsLeft() throws {
    #expect(memory(free: 700) == (16384, 700))
    #expect(memory(free: 20_000) == (16384, 12288))
  }

  @Test func aContainer() throws {
    try write("proc/self/cgroup", "0::/\n")
    try write("sys/fs/cgroup/memory.max", "\(2 << 30)\n")
    try write("sys/fs/cgroup/memory.current", "\(900 << 20)\n")
    #expect(memory() == (2048, 1148))
    // Read files are no use of memory.
    try write("sys/fs/cgroup/memory.stat", "anon 5\ninactive_file \(300 << 20)\nactive_file \(100 << 20)\n")
    #expect(memory() == (2048, 1548))
    #expect(memory(free: 100) == (2048, 100))
  }

  /// The least of all groups around the process counts.
  @Test(arguments: [("job/step", 1024, 512), ("job", 2048, 2000), ("", 8192, 8192), ("other", 8192, 8192)])
  func groupsInGroups(group: String, most: Int, available: Int) throws {
    try write("proc/self/cgroup", "1:cpu:/elsewhere\n0::/\(group)\n")
    for (folder, limit, used) in [("", 8192, 0), ("job/", 2048, 48), ("job/step/", 1024, 512), ("elsewhere/", 1, 1)] {
      try write("sys/fs/cgroup/\(folder)memory.max", "\(limit << 20)\n")
      try write("sys/fs/cgroup/\(folder)memory.current", "\(used << 20)\n")
    }
    #expect(memory() == (most, available))
  }

  @Test func versionOne() throws {
    try write("proc/self/cgroup", "4:cpu,cpuacct:/job\n3:memory:/job\n0::/\n")
    try write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
    #expect(memory() == (16384, 12288))
    try write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "\(3 << 30)\n")
    try write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "\(1 << 30)\n")
    try write("sys/fs/cgroup/memory/job/memory.stat", "inactive_file 0\ntotal_inactive_file \(512 << 20)\n")
    #expect(memory() == (3072, 2560))
  }

  @Test func nothingToRead() {
    let memory = MemoryInReach(root: "/nowhere/", free: nil)
    #expect(memory.most == Int(ProcessInfo.processInfo.physicalMemory))
    #expect(memory.available == nil)
  }

  @Test(arguments: [
    (8, 10, nil, 2), (8, 1, nil, 1), (64, 10, nil, 10), (3, 10, nil, 1), (64, 100, 1000, 5), (64, 100, 150, 1),
    (64, 100, 0, 1),
  ])
  func segmentsAtOnceFitIn(threads: Int, segments: Int, available: Int?, count: Int) {
    let chosen = Parallelism.segmentsAtOnce(
      threads: threads, segments: segments, bytesPerSegment: 100, availableBytes: available)
    #expect(chosen == count)
  }

  /// A segment that the limit leaves no room for is refused, unless what serves already is enough.
  @Test func segmentsAreHeldAgainstTheLimit() throws {
    let configuration = try Configuration(
      ModelDescription(klass: "demucs.htdemucs.HTDemucs", kwargs: RefusedConfigurationTests.tiny))
    let needed = Int(configuration.segmentBytes(configuration.segmentLength))
    var memory = MemoryInReach(root: "/nowhere/", free: needed + 1)
    try configuration.checkMemory(configuration.segmentLength, in: memory)
    memory.free = needed - 1000
    #expect(throws: SegmentError.self) { try configuration.checkMemory(configuration.segmentLength, in: memory) }
    try configuration.checkMemory(configuration.segmentLength, in: memory, held: 2000)
    memory.free = nil
    memory.most = needed
    #expect(throws: SegmentError.self) { try configuration.checkMemory(configuration.segmentLength, in: memory) }
  }
}
