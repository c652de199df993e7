import Streams

extension HTTPRequest {
    /// Every header that the request leaves with: its own, those of the settings, and who it comes from. The URL's user
    /// counts unless the settings name one.
    func fields() throws(TransportError) -> [HTTPField] {
        var fields = headers
        for header in settings.headers
        where !headers.contains(where: { $0.name.lowercased() == header.name.lowercased() }) {
            fields.append(HTTPField(header.name, try header.value.read().reveal()))
        }
        if let authorization = try authorization(), !fields.contains(where: { $0.name.lowercased() == "authorization" })
        {
            fields.append(HTTPField("Authorization", authorization))
        }
        for field in fields {
            guard HTTPField.isToken(field.name) else {
                throw .invalidRequest(reason: "\"\(field.name)\" can't be the name of a header")
            }
            guard HTTPField.isValue(field.value) else {
                throw .invalidRequest(reason: "the header \(field.name) holds a line break or a control character")
            }
        }
        return fields
    }

    private func authorization() throws(TransportError) -> String? {
        switch settings.authentication {
        case .basic(let user, let password):
            return Self.basic(try user.read().reveal(), try password.read().reveal())
        case .credentials(let scheme, let credentials):
            return "\(scheme) \(try credentials.read().reveal())"
        case nil:
            return url.userInfo.map { Self.basic($0.user, $0.password.reveal()) }
        }
    }

    private static func basic(_ user: String, _ password: String) -> String {
        "Basic " + Base64.encode(Array("\(user):\(password)".utf8))
    }
}
