import CapnProtoSchema

extension FileEmitter {
  func emitPipeline(_ context: StructureContext, name: String) {
    out.line("/// The capabilities of a ``\(name)`` that may not have arrived yet.")
    let clause = types.parameterClause(context.id)
    out.block("\(access.visible)struct Pipeline\(clause): PipelineView") {
      out.line("/// Where the struct will be.")
      out.line("\(access.visible)let _pipeline: PipelineReference")
      out.line()
      out.line("/// Takes what will arrive there for a struct of this type.")
      out.line(
        "\(access.visible)init(_pipeline: PipelineReference) { self._pipeline = _pipeline }")
      for field in context.structure.fieldsInCodeOrder
      where pipelines.leads(field, of: context.id) {
        guard let (type, value) = pipelineMember(field) else { continue }
        out.line()
        out.documentation(request.documentation(of: field))
        emitDeprecation(field.annotations)
        out.block(
          "\(access.visible)var \(SwiftName.escaped(field.memberName)): \(type)", value)
      }
    }
  }

  private func pipelineMember(_ field: SchemaField) -> (type: String, value: String)? {
    switch field.kind {
    case .group(let id):
      let type = types.type(id, "Pipeline")
      return (type, "\(type)(_pipeline: _pipeline)")
    case .slot(let slot):
      let pointer = "_pipeline.pointer(\(slot.offset))"
      switch slot.type {
      case .interface:
        let type = types.reader(slot.type)
        return (type, "\(type)(_capability: \(pointer).capability)")
      case .structure(let id, let brand):
        let type = types.type(id, "Pipeline", brand)
        return (type, "\(type)(_pipeline: \(pointer))")
      case .parameter, .implicitParameter:
        let type = "PipelinePointer<\(types.name(slot.type))>"
        return (type, "\(type)(\(pointer))")
      case .anyPointer(.capability): return ("Capability", "\(pointer).capability")
      case .anyPointer: return ("PipelineReference", pointer)
      default: return nil
      }
    }
  }
}
