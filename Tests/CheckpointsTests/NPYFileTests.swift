import Checkpoints
import Foundation
import Tensors
import Testing

@Suite struct NPYFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [[], [0], [5], [2, 3], [2, 1, 3, 4], [0, 7]])
  func roundTrip(shape: [Int]) throws {
    let count = shape.reduce(1, *)
    let numbers = (0..<count).map { Float($0) - 1.5 }
    let path = folder.path + "/x.npy"
    try NPYFile.write(Tensor(shape: shape, values: numbers), to: path)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect((bytes.count - 4 * count) % 64 == 0)
    let read = try NPYFile.read(path)
    #expect(read.shape == shape)
    #expect(values(read) == numbers)
  }

  /// The bytes that `numpy.save("x.npy", numpy.array([[1, 2]], dtype="<f4"))` of NumPy 2 writes.
  @Test func bytesOfNumPy() throws {
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }"
    let padding = String(repeating: " ", count: 128 - 10 - header.count - 1) + "\n"
    let expected =
      [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array((header + padding).utf8)
      + [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40]
    let path = folder.path + "/x.npy"
    try NPYFile.write(Tensor(shape: [1, 2], values: [1, 2]), to: path)
    #expect(try [UInt8](Data(contentsOf: URL(fileURLWithPath: path))) == expected)
    // Version 2 has a header length of four bytes.
    let second = [0x93] + Array("NUMPY".utf8) + [2, 0, 118, 0, 0, 0] + expected.dropFirst(10)
    #expect(try values(NPYFile.read(folder.file("2.npy", second))) == [1, 2])
  }

  /// `numpy.array([1.5, -2], dtype=TYPE).tobytes()`
  @Test(arguments: [
    ("<f2", [0, 0x3E, 0, 0xC0] as [UInt8]),
    ("<f8", [0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0xC0]),
  ])
  func otherFloats(type: String, data: [UInt8]) throws {
    let header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (2,), }"
    let bytes = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.count), 0] + Array(header.utf8) + data
    #expect(try values(NPYFile.read(folder.file("x.npy", bytes))) == [1.5, -2])
  }

  @Test(arguments: [
    ("{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }", "not '<f2', '<f4' or '<f8'"),
    ("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", "not '<f2', '<f4' or '<f8'"),
    ("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", "column-major"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "does not fit"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "whole numbers"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", "does not fit"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': 1, }", "no tuple"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (1", "no tuple"),
    ("{'descr': '<f4', 'fortran_order': False}", "no 'shape'"),
    ("{'fortran_order': False, 'shape': (1,), }", "no 'descr'"),
    ("", "no 'descr'"),
  ])
  func refused(header: String, reason: String) throws {
    let bytes =
      [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.count), 0] + Array(header.utf8) + [0, 0, 0, 0]
    let path = try folder.file("x.npy", bytes)
    let error = #expect(throws: CheckpointError.self) { try NPYFile.read(path) }
    #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
  }

  @Test func truncatedAnywhere() throws {
    let path = folder.path + "/x.npy"
    try NPYFile.write(Tensor(shape: [3]), to: path)
    let whole = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
    for length in 0..<whole.count {
      let cut = try folder.file("cut.npy", Array(whole.prefix(length)))
      #expect(throws: CheckpointError.self) { try NPYFile.read(cut) }
    }
  }
}
