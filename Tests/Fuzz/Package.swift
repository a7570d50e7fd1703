// swift-tools-version: 6.2
import PackageDescription

/// The fuzzer, apart from the main package: every executable that is built with it gets its `main`.
/// The targets are compiled into the tests of the main package too, which replay the corpus.
let package = Package(
  name: "fuzz",
  platforms: [.macOS(.v26)],
  dependencies: [.package(name: "swift-capnproto", path: "../..")],
  targets: [
    .executableTarget(
      name: "capnproto-fuzz",
      dependencies: [
        .product(name: "CapnProto", package: "swift-capnproto"),
        .product(name: "CapnProtoSchema", package: "swift-capnproto"),
        .product(name: "CapnProtoTesting", package: "swift-capnproto"),
      ],
      path: ".", exclude: ["Corpus", "Targets/CorpusTests.swift"], sources: ["Driver", "Targets"],
      swiftSettings: [
        .swiftLanguageMode(.v6),
        .strictMemorySafety(),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableExperimentalFeature("Lifetimes"),
      ])
  ]
)
