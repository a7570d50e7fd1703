// swift-tools-version: 6.2
import PackageDescription

/// What every target of this package is compiled with.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  // Readers and builders cannot escape their message: needed where they are declared.
  .enableExperimentalFeature("Lifetimes"),
]

let package = Package(
  name: "swift-capnproto",
  platforms: [.macOS(.v26), .iOS(.v26), .tvOS(.v26), .watchOS(.v26), .visionOS(.v26)],
  products: [
    .library(name: "CapnProto", targets: ["CapnProto"]),
    .library(name: "CapnProtoSchema", targets: ["CapnProtoSchema"]),
    .library(name: "CapnProtoCodeGen", targets: ["CapnProtoCodeGen"]),
    .library(name: "CapnProtoCompat", targets: ["CapnProtoCompat"]),
    .library(name: "CapTP", targets: ["CapTP"]),
    .library(name: "CapnProtoRPC", targets: ["CapnProtoRPC"]),
    .library(name: "CapnProtoNIO", targets: ["CapnProtoNIO"]),
    .library(name: "CapnProtoTLS", targets: ["CapnProtoTLS"]),
    .library(name: "CapnProtoWebSocket", targets: ["CapnProtoWebSocket"]),
    .library(name: "CapnProtoLifecycle", targets: ["CapnProtoLifecycle"]),
    .library(name: "CapnProtoInstruments", targets: ["CapnProtoInstruments"]),
    .library(name: "CapnProtoTesting", targets: ["CapnProtoTesting"]),
    .executable(name: "capnpc-swift-gen", targets: ["capnpc-swift-gen"]),
    .executable(name: "capnp-swift", targets: ["capnp-swift"]),
    .executable(name: "qemu-runner", targets: ["qemu-runner"]),
    .plugin(name: "CapnProtoPlugin", targets: ["CapnProtoPlugin"]),
    .library(name: "RemoteSessionClient", targets: ["RemoteSessionClient"]),
    .executable(name: "remote-session", targets: ["remote-session"]),
  ],
  dependencies: [
    // Heaps and deques for the tables and queues of a connection.
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    // Command lines of the host's tools.
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    // Sockets and event loops.
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    // TLS, and the names in certificates.
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
    .package(url: "https://github.com/apple/swift-certificates", from: "1.21.0"),
    .package(url: "https://github.com/apple/swift-asn1", from: "1.7.0"),
    // Listeners as services that shut down gracefully.
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    // What programs measure, in their own way, through interfaces that these declare.
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
    // scrypt, for passwords, and fingerprints of certificates.
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
  ],
  targets: [
    // Readers and builders as associated types: needed where such protocols are declared only.
    .target(
      name: "CapnProto",
      swiftSettings: strict + [.enableExperimentalFeature("SuppressedAssociatedTypes")]),
    .testTarget(name: "CapnProtoTests", dependencies: ["CapnProto"], swiftSettings: strict),
    // The targets of the fuzzer, whose own package is Tests/Fuzz, on the inputs that it has found.
    .testTarget(
      name: "FuzzCorpusTests",
      dependencies: ["CapnProto", "CapnProtoSchema", "CapnProtoTesting"],
      path: "Tests/Fuzz/Targets", swiftSettings: strict),
    // The types of compat/json.capnp, for schemas that import them.
    .target(name: "CapnProtoCompat", dependencies: ["CapnProto"], swiftSettings: strict),
    .target(name: "CapnProtoSchema", dependencies: ["CapnProto"], swiftSettings: strict),
    .testTarget(
      name: "CapnProtoSchemaTests", dependencies: ["CapnProto", "CapnProtoSchema"],
      exclude: ["Schemas"], swiftSettings: strict),
    .executableTarget(
      name: "capnp-swift",
      dependencies: [
        "CapnProto", "CapnProtoSchema", "CapnProtoRPC", "CapnProtoNIO",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),
    .testTarget(
      name: "CapnpSwiftTests",
      dependencies: ["capnp-swift", "CapnProto", "CapnProtoRPC", "CapnProtoNIO"],
      swiftSettings: strict, plugins: ["CapnProtoPlugin"]),
    .target(
      name: "CapnProtoCodeGen", dependencies: ["CapnProto", "CapnProtoSchema"],
      swiftSettings: strict),
    .executableTarget(
      name: "capnpc-swift-gen", dependencies: ["CapnProto", "CapnProtoCodeGen", "CapnProtoSchema"],
      swiftSettings: strict),
    .plugin(
      name: "CapnProtoPlugin", capability: .buildTool(), dependencies: ["capnpc-swift-gen"]),
    .testTarget(
      name: "GeneratedCodeTests", dependencies: ["CapnProto", "CapnProtoCompat"],
      swiftSettings: strict, plugins: ["CapnProtoPlugin"]),
    .testTarget(
      name: "CapnProtoCodeGenTests",
      // Generated code that is compiled in tests needs the modules of the RPC runtime.
      dependencies: [
        "CapnProto", "CapTP", "CapnProtoCodeGen", "CapnProtoRPC", "CapnProtoSchema",
      ], exclude: ["Golden"],
      swiftSettings: strict),
    .target(
      name: "CapTP",
      dependencies: [
        "CapnProto", .product(name: "DequeModule", package: "swift-collections"),
      ], exclude: ["Schema"], swiftSettings: strict),
    .target(
      name: "CapnProtoRPC",
      dependencies: [
        "CapnProto", "CapTP", .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "HeapModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
      ], exclude: ["Schema"], swiftSettings: strict),
    .testTarget(
      name: "GeneratedInterfaceTests",
      dependencies: ["CapnProto", "CapnProtoRPC", "CapnProtoTesting"],
      swiftSettings: strict, plugins: ["CapnProtoPlugin"]),
    .target(
      name: "CapnProtoNIO",
      dependencies: [
        "CapnProto", "CapTP", "CapnProtoRPC",
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ], swiftSettings: strict),
    // What it builds takes minutes: only those build it who use TLS.
    .target(
      name: "CapnProtoTLS",
      dependencies: [
        "CapnProtoRPC", "CapnProtoNIO", .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOTLS", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "SwiftASN1", package: "swift-asn1"),
        .product(name: "X509", package: "swift-certificates"),
      ], swiftSettings: strict),
    .target(
      name: "CapnProtoWebSocket",
      dependencies: [
        "CapTP", "CapnProtoRPC", "CapnProtoNIO", .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOWebSocket", package: "swift-nio"),
      ], swiftSettings: strict),
    .target(
      name: "CapnProtoLifecycle",
      dependencies: [
        "CapnProtoNIO", .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ], swiftSettings: strict),
    .target(
      name: "CapnProtoTesting",
      dependencies: [
        "CapnProto", "CapTP", "CapnProtoRPC",
        .product(name: "DequeModule", package: "swift-collections"),
      ], swiftSettings: strict),
    .target(
      name: "CapnProtoInstruments",
      dependencies: [
        "CapnProtoRPC", .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
      ], swiftSettings: strict),
    .testTarget(
      name: "CapnProtoInstrumentsTests",
      dependencies: [
        "CapnProtoInstruments", "CapnProtoRPC", "CapnProtoTesting",
        .product(name: "MetricsTestKit", package: "swift-metrics"),
        .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
      ], swiftSettings: strict),
    // The Swift side of the interop tests, beside the C++ one. No product contains it.
    .executableTarget(
      name: "interop-peer", dependencies: ["CapnProto", "CapnProtoRPC", "CapnProtoNIO"],
      path: "Tests/Interop/SwiftPeer", swiftSettings: strict, plugins: ["CapnProtoPlugin"]),
    // Runs the simulation over many seeds. No product contains it.
    .executableTarget(
      name: "rpc-simulator",
      dependencies: [
        "CapTP", "CapnProtoTesting",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Tests/Simulator", swiftSettings: strict),
    // Looks for messages that cost more than they are long. No product contains it.
    .executableTarget(
      name: "message-costs",
      dependencies: [
        "CapnProtoTesting", "CMalloc",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Tests/Costs", exclude: ["CMalloc"], swiftSettings: strict),
    .systemLibrary(name: "CMalloc", path: "Tests/Costs/CMalloc"),
    .testTarget(
      name: "SimulationTests", dependencies: ["CapTP", "CapnProtoTesting"], swiftSettings: strict),
    .testTarget(
      name: "CapTPTests", dependencies: ["CapnProto", "CapTP"], swiftSettings: strict),
    .testTarget(
      name: "CapnProtoRPCTests",
      dependencies: [
        "CapnProto", "CapTP", "CapnProtoRPC", "CapnProtoNIO", "CapnProtoTesting",
        .product(name: "InMemoryLogging", package: "swift-log"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: strict, plugins: ["CapnProtoPlugin"]),
    .testTarget(
      name: "CapnProtoNIOTests",
      dependencies: [
        "CapnProto", "CapTP", "CapnProtoLifecycle", "CapnProtoRPC", "CapnProtoNIO",
        "CapnProtoTesting", "CapnProtoTLS", "CapnProtoWebSocket",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOWebSocket", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "SwiftASN1", package: "swift-asn1"),
        .product(name: "X509", package: "swift-certificates"),
      ],
      swiftSettings: strict, plugins: ["CapnProtoPlugin"]),
    .testTarget(
      name: "ReadmeTests", dependencies: ["CapnProto", "CapnProtoRPC", "CapnProtoNIO"],
      swiftSettings: strict, plugins: ["CapnProtoPlugin"]),
    .target(name: "QEMURunner", swiftSettings: strict),
    .executableTarget(
      name: "qemu-runner",
      dependencies: [
        "QEMURunner", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),
    .testTarget(
      name: "QEMURunnerTests", dependencies: ["QEMURunner"], swiftSettings: strict),

    // Remote sessions.
    .target(
      name: "RemoteSessionSchema", dependencies: ["CapnProto", "CapnProtoRPC"], path: "schema",
      swiftSettings: strict, plugins: ["CapnProtoPlugin"]),
    .target(
      name: "RemoteSessionGateway",
      dependencies: ["CapnProto", "CapnProtoRPC", "RemoteSessionSchema"], swiftSettings: strict),
    .target(
      name: "GuestServices",
      dependencies: [
        "CapnProto", "CapnProtoRPC", "RemoteSessionSchema",
        .product(name: "CryptoExtras", package: "swift-crypto"),
      ], swiftSettings: strict),
    .target(
      name: "RemoteSessionClient",
      dependencies: ["CapnProto", "CapnProtoRPC", "CapnProtoNIO", "RemoteSessionSchema"],
      swiftSettings: strict),
    .executableTarget(
      name: "remote-session",
      dependencies: [
        "CapnProto", "CapnProtoNIO", "CapnProtoRPC", "RemoteSessionClient",
        "RemoteSessionSchema", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),
    .testTarget(
      name: "RemoteSessionTests",
      dependencies: [
        "CapnProto", "CapTP", "CapnProtoNIO", "CapnProtoRPC", "CapnProtoTesting", "GuestServices",
        "RemoteSessionClient", "RemoteSessionGateway", "RemoteSessionSchema",
      ], swiftSettings: strict),
  ]
)

#if os(Linux)
  // The guest is a Linux machine.
  package.targets += [
    .target(name: "CGuest"),
    .target(name: "GuestInit", dependencies: ["CGuest"], swiftSettings: strict),
    .testTarget(name: "GuestInitTests", dependencies: ["GuestInit"], swiftSettings: strict),
    // The programs of both ends, each in a process of its own.
    .testTarget(
      name: "GuestProcessTests",
      dependencies: [
        "CapnProto", "CapnProtoNIO", "CapnProtoRPC", "RemoteSessionClient", "RemoteSessionSchema",
        "guest-init", "qemu-runner", "remote-session",
      ], swiftSettings: strict),
    .executableTarget(
      name: "guest-init",
      dependencies: [
        "CapnProto", "CapnProtoNIO", "CapnProtoRPC", "GuestInit", "GuestServices",
        "RemoteSessionGateway", "RemoteSessionSchema",
      ], path: "guest/init", swiftSettings: strict),
  ]
  package.products += [.executable(name: "guest-init", targets: ["guest-init"])]
#endif
