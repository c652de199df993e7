import Streams
import Transport

/// The way to one mail server: a connection is kept after a message, so that a burst of them shares it. A kept one that turns
/// out to be lost is replaced once, unless the message may have been taken already.
actor SMTPConnections {
    struct Settings: Sendable, Equatable {
        var server: Smarthost
        var implicitTLS: Bool
        var tls: TLSSettings
        var opening: SMTPOpening.Settings
        var patience: SMTPConnection.Patience
        /// How long a connection may lie idle and be used again.
        var idleMax: Duration
    }

    private let connector: any ByteStreamConnector
    private let clock: any WallClock
    private var kept: (connection: SMTPConnection, settings: Settings, since: Timestamp)?

    init(_ connector: any ByteStreamConnector, _ clock: any WallClock) {
        self.connector = connector
        self.clock = clock
    }

    func send(
        _ message: [UInt8], _ envelope: SMTPTransaction.Envelope, _ settings: Settings
    ) async throws(DeliveryError) -> SMTPConnection.Outcome {
        if let connection = await takeKept(settings) {
            do throws(DeliveryError) {
                return try await send(message, envelope, over: connection, settings)
            } catch {
                guard case .unavailable = error, await !connection.mayHaveDelivered else { throw error }
            }
        }
        let connection = try await SMTPConnection.open(
            connector, settings.server, implicitTLS: settings.implicitTLS, tls: settings.tls, settings.opening,
            settings.patience)
        return try await send(message, envelope, over: connection, settings)
    }

    private func send(
        _ message: [UInt8], _ envelope: SMTPTransaction.Envelope, over connection: SMTPConnection, _ settings: Settings
    ) async throws(DeliveryError) -> SMTPConnection.Outcome {
        do throws(DeliveryError) {
            let outcome = try await connection.send(message, envelope)
            let previous = kept
            kept = (connection, settings, clock.now())
            // Two deliveries at a time had one each.
            await previous?.connection.close()
            return outcome
        } catch {
            await connection.close()
            throw error
        }
    }

    private func takeKept(_ settings: Settings) async -> SMTPConnection? {
        guard let (connection, settingsThen, since) = kept else { return nil }
        kept = nil
        if settingsThen == settings, clock.now() - since < settings.idleMax { return connection }
        await connection.close()
        return nil
    }
}
