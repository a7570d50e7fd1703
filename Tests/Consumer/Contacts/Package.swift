// swift-tools-version: 6.2
import PackageDescription

/// A package whose schema others import.
let package = Package(
  name: "contacts",
  platforms: [.macOS(.v26)],
  products: [.library(name: "Contacts", targets: ["Contacts"])],
  dependencies: [.package(name: "swift-capnproto", path: "../../..")],
  targets: [
    .target(
      name: "Contacts",
      dependencies: [.product(name: "CapnProto", package: "swift-capnproto")],
      swiftSettings: [.enableExperimentalFeature("Lifetimes")],
      plugins: [.plugin(name: "CapnProtoPlugin", package: "swift-capnproto")])
  ]
)
