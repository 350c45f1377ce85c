/// What a model file is, told by its first bytes; names and extensions do not matter.
enum FileFormat {
  case safetensors
  /// The zip archive of `torch.save` since PyTorch 1.6.
  case torchArchive

  /// - Throws: `CheckpointError.malformed`, `.unsupported` for what is neither; `.unreadable`.
  init(_ file: MappedFile) throws {
    guard file.count > 0 else {
      throw CheckpointError.malformed(path: file.path, format: "model", reason: "it is empty")
    }
    self = try file.withBytes(0..<min(file.count, 512)) { start in
      if start.starts(with: [0x50, 0x4B, 3, 4]) || start.starts(with: [0x50, 0x4B, 5, 6]) { return .torchArchive }
      if FileFormat.isLegacyTorch(start) {
        throw CheckpointError.unsupported(
          path: file.path, reason: "it is in the format of torch.save before PyTorch 1.6 (2020)",
          remedy: FileFormat.resaving)
      }
      if start.count >= 262, start[257..<262].elementsEqual("ustar".utf8) {
        throw CheckpointError.unsupported(
          path: file.path, reason: "it is a tar archive, perhaps one of torch.save before 2017",
          remedy: FileFormat.resaving)
      }
      if start.count >= 2, start[0] == 0x80, start[1] <= 5, start.count < 9 || start[8] != UInt8(ascii: "{") {
        throw CheckpointError.unsupported(
          path: file.path, reason: "it is a pickle, but not one of torch.save", remedy: FileFormat.resaving)
      }
      // The safetensors reader says what else is wrong with a file.
      return .safetensors
    }
  }

  /// The way out for what PyTorch still reads.
  private static let resaving =
    "If you trust it, save it again with a recent PyTorch: "
    + "python3 -c 'import torch; torch.save(torch.load(\"OLD\", weights_only=False), \"NEW\")'."

  /// The first of the pickles in such a file is the number 0x1950a86a20f9469cfc6c.
  private static func isLegacyTorch(_ start: UnsafeRawBufferPointer) -> Bool {
    let magic: [UInt8] = [0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]
    // Behind the protocol, and from protocol 4 on the length of the frame.
    return start.dropFirst(2).starts(with: magic) || start.dropFirst(11).starts(with: magic)
      || start.starts(with: "L119547037146038801333356L\n.".utf8)
  }
}
