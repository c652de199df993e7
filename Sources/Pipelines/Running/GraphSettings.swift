package import Actors
package import Logging
package import PromQL
package import Storage
package import Streams
package import Transport

/// What a running graph is given by the program around it.
package struct GraphSettings: Sendable {
    package var clock: any WallClock
    package var telemetry: Telemetry
    package var logger: Logger
    package var http: HTTPClient
    package var connector: any ByteStreamConnector
    package var storage: StorageSettings
    /// Under which URL users reach this server; templates and links use it.
    package var externalURL: String
    /// Where state is kept over a restart. Nil: nowhere.
    package var dataFolder: String?
    /// How many batches may wait for the rules.
    package var batchesMax: Int
    /// How many batches of alerts may wait for a pipeline's notification side.
    package var alertBatchesMax: Int
    /// How long a shutdown waits for notifications that are on their way; what is left is kept for the next start.
    package var drainTimeout: Duration
    /// How long a shutdown writes samples for the next start; those of series that are not written by then are lost.
    package var snapshotTimeout = Duration.seconds(8)
    package var random: @Sendable () -> UInt64
    /// Whether receivers may run programs.
    package var allowsCommands = false
    /// After a start no group is notified for that long: time for the first alerts to come in.
    package var dispatchDelay = Duration.zero
    package var silences = Silences.Limits()
    /// What of PromQL is switched on, for rules and for clients.
    package var language = LanguageFeatures()
    /// How often it is noted that the graph runs.
    package var stateInterval = Duration.seconds(2)
    /// Carries out what blocks its thread, and returns when it is done: on a thread made for that, where there is one.
    package var blocking: @Sendable (@escaping @Sendable () -> Void) async -> Void = { $0() }
    /// As `blocking`, one after another, for the state: what waits for it is on its way to a receiver.
    package var stateBlocking: @Sendable (@escaping @Sendable () -> Void) async -> Void = { $0() }
    /// Waited for before each read of a rule. Nil: nothing; tests make rules slow with it.
    package var beforeRuleReads: (@Sendable () async -> Void)?
    /// Waited for before the notification sides look at alerts. Nil: nothing; tests make them slow with it.
    package var beforeAlerts: (@Sendable () async -> Void)?

    package init(
        clock: any WallClock, telemetry: Telemetry, logger: Logger, http: HTTPClient,
        connector: any ByteStreamConnector, storage: StorageSettings = StorageSettings(), externalURL: String,
        dataFolder: String?, batchesMax: Int = 1024, alertBatchesMax: Int = 1024,
        drainTimeout: Duration = .seconds(10),
        random: @escaping @Sendable () -> UInt64 = { UInt64.random(in: .min ... .max) }
    ) {
        self.clock = clock
        self.telemetry = telemetry
        self.logger = logger
        self.http = http
        self.connector = connector
        self.storage = storage
        self.externalURL = externalURL
        self.dataFolder = dataFolder
        self.batchesMax = batchesMax
        self.alertBatchesMax = alertBatchesMax
        self.drainTimeout = drainTimeout
        self.random = random
    }
}
