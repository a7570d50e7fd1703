// swift-tools-version: 6.2
import PackageDescription

/// As the targets of the package that is measured.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
]

/// The Swift side of the benchmarks: programs that do what those in Cpp do. run.sh compares them.
let package = Package(
  name: "benchmarks",
  platforms: [.macOS(.v26)],
  products: [.library(name: "Reporting", targets: ["Reporting"])],
  dependencies: [
    .package(name: "swift-capnproto", path: ".."),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
  ],
  targets: [
    .target(name: "Reporting", path: "Swift/Reporting", swiftSettings: strict),
    .executableTarget(
      name: "encoding",
      dependencies: ["Reporting", .product(name: "CapnProto", package: "swift-capnproto")],
      path: "Swift/encoding", swiftSettings: strict,
      plugins: [.plugin(name: "CapnProtoPlugin", package: "swift-capnproto")]),
    .executableTarget(
      name: "ping",
      dependencies: [
        "Reporting",
        .product(name: "CapnProto", package: "swift-capnproto"),
        .product(name: "CapnProtoNIO", package: "swift-capnproto"),
        .product(name: "CapnProtoRPC", package: "swift-capnproto"),
        .product(name: "CapnProtoTesting", package: "swift-capnproto"),
        .product(name: "DequeModule", package: "swift-collections"),
      ],
      path: "Swift/ping", swiftSettings: strict,
      plugins: [.plugin(name: "CapnProtoPlugin", package: "swift-capnproto")]),
  ]
)
