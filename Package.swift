// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "demucs-cli",
  products: [
    .executable(name: "demucs-cli", targets: ["DemucsCLI"]),
    // The network alone, for those who port it: `InnerNetwork`.
    .library(name: "HTDemucs", targets: ["HTDemucs", "Layers", "Checkpoints", "Tensors"]),
    .library(name: "Separation", targets: ["Separation", "ModelStore", "AudioFiles", "Tensors"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // C libraries of the system, one module each.
    .systemLibrary(name: "CFFTW", pkgConfig: "fftw3f", providers: [.apt(["libfftw3-dev"])]),
    .systemLibrary(name: "CSndfile", pkgConfig: "sndfile", providers: [.apt(["libsndfile1-dev"])]),
    .systemLibrary(name: "CSoxr", pkgConfig: "soxr", providers: [.apt(["libsoxr-dev"])]),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    // Attributes of files, which Foundation has none of.
    .systemLibrary(name: "CXattr"),
    // Settings of the C library's heap.
    .systemLibrary(name: "CMalloc"),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    // OpenBLAS is loaded when it is first needed.
    .target(name: "COpenBLAS"),

    // The house: an import only ever points up this list.
    .target(name: "CKernels"),
    .target(name: "Tensors", dependencies: ["CKernels", "COpenBLAS"]),
    .target(name: "AudioFiles", dependencies: ["CSndfile", "CSoxr"]),
    .target(name: "Spectral", dependencies: ["Tensors", "CFFTW"]),
    .target(name: "Layers", dependencies: ["Tensors", "CKernels"]),
    .target(name: "Checkpoints", dependencies: ["Tensors", "CZlib"]),
    .target(name: "HTDemucs", dependencies: ["Checkpoints", "Layers", "Spectral", "Tensors", "CKernels"]),
    .target(
      name: "ModelStore",
      dependencies: ["CCurl", "CCrypto", "CXattr", .product(name: "Yams", package: "Yams")],
      // The registry is a file of `models`; a copy of it is in every executable.
      resources: [.embedInCode("registry.json")]),
    .target(
      name: "Separation",
      dependencies: [
        "HTDemucs", "Layers", "Checkpoints", "Tensors", "AudioFiles", "ModelStore",
        .product(name: "Logging", package: "swift-log"),
      ]),
    .target(name: "Sensitivity", dependencies: ["HTDemucs", "Layers", "Checkpoints", "Tensors"]),
    .target(
      name: "Evaluation",
      dependencies: ["AudioFiles", "Checkpoints", "Layers", "Spectral", "Tensors", "CCrypto"]),
    // Pages for man(1), made of what ArgumentParser tells of the commands.
    .target(name: "ManualPages"),
    .executableTarget(
      name: "DemucsCLI",
      dependencies: [
        "Separation", "Sensitivity", "Evaluation", "AudioFiles", "Checkpoints", "CKernels", "CMalloc", "HTDemucs",
        "Layers", "ManualPages", "ModelStore", "Tensors",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ]),

    // The generator and the golden files of docs/goldens.md, for all tests.
    .target(name: "GoldenSupport", dependencies: ["Checkpoints", "Layers"], path: "Tests/GoldenSupport"),
    .testTarget(name: "GoldenSupportTests", dependencies: ["GoldenSupport"]),
    // The versions of each kernel for one instruction set, which the program chooses from when it is loaded.
    .target(name: "KernelVersions", dependencies: ["CKernels"], path: "Tests/KernelVersions"),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors", "CKernels", "KernelVersions"]),
    // Runs damaged files through a reader.
    .target(
      name: "Fuzzing", dependencies: ["Tensors", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      path: "Tests/Fuzzing"),
    // Bad audio files: some hundred for the tests, any number by hand (docs/faults.md).
    .target(name: "AudioFuzzing", dependencies: ["AudioFiles", "CSndfile", "Fuzzing"], path: "Tests/AudioFuzzing"),
    .executableTarget(
      name: "fuzz-audio",
      dependencies: [
        "AudioFiles", "AudioFuzzing", "Fuzzing", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/FuzzAudio"),
    .testTarget(name: "AudioFilesTests", dependencies: ["AudioFiles", "AudioFuzzing", "Fuzzing"]),
    .testTarget(name: "SpectralTests", dependencies: ["Spectral", "GoldenSupport"]),
    .testTarget(name: "LayersTests", dependencies: ["Layers", "CKernels", "GoldenSupport"]),
    // Damaged model files: a few for the tests, any number by hand (docs/model-files.md).
    .target(
      name: "CheckpointFuzzing", dependencies: ["Checkpoints", "CZlib", "Fuzzing"], path: "Tests/CheckpointFuzzing"),
    .executableTarget(
      name: "fuzz-checkpoints",
      dependencies: [
        "CheckpointFuzzing", "Fuzzing", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/FuzzCheckpoints"),
    .testTarget(name: "CheckpointsTests", dependencies: ["Checkpoints", "CheckpointFuzzing", "Fuzzing"]),
    .testTarget(name: "HTDemucsTests", dependencies: ["HTDemucs", "GoldenSupport", "AudioFiles"]),
    // A real HTTP server for the tests of downloads.
    .target(name: "LoopbackServer", path: "Tests/LoopbackServer"),
    .testTarget(name: "ModelStoreTests", dependencies: ["ModelStore", "LoopbackServer"]),
    .testTarget(
      name: "SeparationTests", dependencies: ["Separation", "Layers", "ModelStore", "GoldenSupport"],
      exclude: ["Goldens"]),
    .testTarget(name: "ManualPagesTests", dependencies: ["ManualPages"]),
    .testTarget(
      name: "EvaluationTests",
      dependencies: ["Evaluation", "AudioFiles", "Checkpoints", "Layers", "Tensors", "GoldenSupport"]),
    .testTarget(name: "SensitivityTests", dependencies: ["Sensitivity", "Layers", "GoldenSupport"]),
    .testTarget(
      name: "DemucsCLITests",
      dependencies: [
        "DemucsCLI", "Separation", "Evaluation", "ModelStore", "AudioFuzzing", "GoldenSupport", "LoopbackServer",
      ],
      exclude: ["Snapshots"]),
  ],
  swiftLanguageModes: [.v6]
)
