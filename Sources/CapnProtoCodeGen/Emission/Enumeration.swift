import CapnProtoSchema

extension FileEmitter {
  func emitEnumeration(
    _ node: SchemaNode, name: String, _ enumerants: [EnumNode.Enumerant]
  ) {
    let cases = enumerants.enumerated().map { (number: $0, enumerant: $1) }
    out.block("\(access.frozen)enum \(SwiftName.escaped(name)): SchemaEnum, DescribedType") {
      for (number, enumerant) in cases.sorted(by: { $0.1.codeOrder < $1.1.codeOrder }) {
        out.documentation(request.documentation(ofMember: number, in: node.id))
        out.line("case \(SwiftName.escaped(enumerant.caseName))")
      }
      out.line("/// A number that this version of the schema does not know.")
      out.line("case unknown(UInt16)")
      for (number, enumerant) in cases where enumerant.swift.deprecation != nil {
        out.line()
        out.documentation(request.documentation(ofMember: number, in: node.id))
        emitDeprecation(enumerant.annotations)
        out.line(
          "\(access.visible)static var \(SwiftName.escaped(enumerant.swiftName)): Self"
            + " { .\(enumerant.caseName) }")
      }
      out.line()
      emitIdentity(node)
      out.line()
      // Optimized here: generic code of the runtime calls it, and would not inline it otherwise.
      out.line("/// The enumerant of the number.")
      out.block("@inline(__always) \(access.body)init(rawValue: UInt16)") {
        out.line("switch rawValue {")
        for (number, enumerant) in cases {
          out.line("case \(number): self = .\(enumerant.caseName)")
        }
        out.line("default: self = .unknown(rawValue)")
        out.line("}")
      }
      out.line()
      out.line("/// The number.")
      out.block("@inline(__always) \(access.body)var rawValue: UInt16") {
        // The compiler solves a switch that is an expression as a whole, in quadratic time.
        out.line("switch self {")
        for (number, enumerant) in cases {
          out.line("case .\(enumerant.caseName): return \(number)")
        }
        out.line("case .unknown(let number): return number")
        out.line("}")
      }
    }
  }
}
