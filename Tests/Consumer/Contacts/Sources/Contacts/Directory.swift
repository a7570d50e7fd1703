extension Person.Value {
  /// Somebody with one phone.
  public init(name: String, phone: String) {
    self.init()
    self.name = name
    phones = [phone]
  }
}
