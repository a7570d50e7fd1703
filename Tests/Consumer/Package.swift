// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "consumer",
  platforms: [.macOS(.v26)],
  dependencies: [
    .package(name: "swift-capnproto", path: "../.."),
    // Its schema is imported by that of this package.
    .package(path: "Contacts"),
  ],
  targets: [
    .executableTarget(
      name: "PhoneBook",
      dependencies: [
        .product(name: "CapnProto", package: "swift-capnproto"),
        .product(name: "CapnProtoRPC", package: "swift-capnproto"),
        .product(name: "Contacts", package: "contacts"),
      ], exclude: ["capnproto-swift.json"],
      // The one setting that targets with generated code need.
      swiftSettings: [.enableExperimentalFeature("Lifetimes")],
      plugins: [.plugin(name: "CapnProtoPlugin", package: "swift-capnproto")]),
    .testTarget(name: "PhoneBookTests", dependencies: ["PhoneBook"]),
  ]
)
