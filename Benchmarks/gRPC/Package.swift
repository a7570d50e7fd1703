// swift-tools-version: 6.2
import PackageDescription

/// As the targets of the package that is measured.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// Pings by gRPC, for grpc.sh to compare with ours. A package of its own: gRPC builds for minutes, and
/// nothing else needs it.
let package = Package(
  name: "grpc-benchmarks",
  platforms: [.macOS(.v26)],
  dependencies: [
    .package(name: "benchmarks", path: ".."),
    // What ours is compared with. The report names these versions.
    .package(url: "https://github.com/grpc/grpc-swift-2", exact: "2.4.3"),
    .package(url: "https://github.com/grpc/grpc-swift-nio-transport", exact: "2.9.2"),
  ],
  targets: [
    .executableTarget(
      name: "grpc-ping",
      dependencies: [
        .product(name: "Reporting", package: "benchmarks"),
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
      ],
      path: "ping", swiftSettings: strict)
  ]
)
