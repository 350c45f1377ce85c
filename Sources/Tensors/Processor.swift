import CKernels

/// What the processor can do, as far as it decides which code runs.
public enum Processor {
  /// The instruction set that the kernels of `CKernels` use here: `x86-64-v4`, `x86-64-v3` or `baseline`.
  public static var instructionSet: String { String(cString: kernel_instruction_set()) }
}
