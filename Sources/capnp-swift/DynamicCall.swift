import CapnProto
import CapnProtoRPC
import CapnProtoSchema

/// A chain of calls by a schema that is known only at run time. Each call is sent before the one
/// before it is answered.
struct DynamicCall {
  /// What the steps so far lead to.
  private enum Place {
    case capability(Capability, interface: UInt64)
    /// A struct in the results of the last call.
    case structure(PipelineReference, StructSchema)
    /// Something in the results that nothing can follow.
    case value
  }
  private let schema: Schema
  private var place: Place
  /// The last call, its results' struct, and the fields that were named since.
  private var last: (call: UntypedRemoteCall, results: StructSchema)?
  private var path: [String] = []

  /// Begins at the capability.
  init(_ capability: Capability, interface: UInt64, in schema: Schema) {
    self.schema = schema
    place = .capability(capability, interface: interface)
  }

  /// Goes on to what the step leads to.
  ///
  /// - Throws: `CommandFailure.usage` if the schema has no such thing; `CodecError` if the arguments
  ///   do not fit the method.
  mutating func take(_ step: CallExpression.Step) throws {
    switch step {
    case .method(let name, let arguments): try call(name, arguments)
    case .field(let name): try follow(name)
    }
  }

  private mutating func call(_ name: String, _ arguments: [UInt8]) throws {
    guard case .capability(let capability, let id) = place else {
      throw CommandFailure.usage("'\(name)(...)' is called on something that is no capability")
    }
    guard let (owner, number, method) = method(named: name, of: id) else {
      throw CommandFailure.usage("\(displayName(id)) has no method '\(name)'")
    }
    guard let params = schema.structure(method.parameters, brand: method.parameterBrand),
      let results = schema.structure(method.results, brand: method.resultBrand)
    else { throw CommandFailure.schema("the structs of '\(name)' are not in the schema") }
    let message = MessageBuilder()
    let builder = message.initRoot(as: params)
    do {
      try TextCodec().decode(arguments, into: builder)
    } catch let error as CodecError {
      throw CommandFailure.usage("the arguments of '\(name)': \(error)")
    }
    let call = try capability.call(interfaceID: owner, methodID: number) {
      try $0.set(builder.reader.raw)
    }
    last = (call, results)
    path = []
    place = .structure(call.pipeline, results)
  }

  private mutating func follow(_ name: String) throws {
    guard case .structure(let reference, let structure) = place else {
      throw CommandFailure.usage("'.\(name)' follows something that is no struct")
    }
    guard let field = structure.field(name) else {
      throw CommandFailure.usage("\(structure.displayName) has no field '\(name)'")
    }
    path.append(name)
    if let group = structure.group(of: field) {
      place = .structure(reference, group)
      return
    }
    guard case .slot(let slot) = field.kind else { return }
    switch structure.type(of: field) {
    case .structure(let id, let brand):
      guard let inner = schema.structure(id, brand: brand) else { return }
      place = .structure(reference.pointer(UInt16(truncatingIfNeeded: slot.offset)), inner)
    case .interface(let id, _):
      place = .capability(
        reference.pointer(UInt16(truncatingIfNeeded: slot.offset)).capability, interface: id)
    default: place = .value
    }
  }

  /// Waits for the last call, and writes what the fields after it lead to, or all of its results.
  ///
  /// - Throws: `RPCError` if the call failed, and what the body throws.
  func result(
    _ write: @escaping @Sendable (DynamicValue.Reader) throws -> [UInt8]
  ) async throws -> [UInt8] {
    guard let (call, results) = last else { return [] }
    let path = path
    return try await call.results { pointer in
      try Self.write(DynamicStruct.Reader(results, pointer.structure()), path[...], write)
    }
  }

  private static func write(
    _ structure: DynamicStruct.Reader, _ path: ArraySlice<String>,
    _ write: (DynamicValue.Reader) throws -> [UInt8]
  ) throws -> [UInt8] {
    guard let name = path.first else { return try write(.structure(structure)) }
    let value = try structure.get(name)
    if path.count > 1, case .structure(let inner) = value {
      return try self.write(inner, path.dropFirst(), write)
    }
    return try write(value)
  }

  /// The method, its ordinal and the interface that declares it: this one or one that it extends.
  private func method(
    named name: String, of id: UInt64
  ) -> (owner: UInt64, number: UInt16, method: InterfaceNode.Method)? {
    var waiting = [id]
    var seen: Set<UInt64> = []
    while let id = waiting.popLast() {
      guard seen.insert(id).inserted, let interface = schema.nodes[id]?.interface else { continue }
      if let index = interface.methods.firstIndex(where: { $0.name == name }) {
        return (id, UInt16(truncatingIfNeeded: index), interface.methods[index])
      }
      waiting += interface.superclasses.map(\.id)
    }
    return nil
  }

  private func displayName(_ id: UInt64) -> String {
    schema.nodes[id]?.displayName ?? "0x" + String(id, radix: 16)
  }
}
