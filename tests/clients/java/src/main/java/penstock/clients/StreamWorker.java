package penstock.clients;

import com.amazonaws.services.dynamodbv2.streamsadapter.AmazonDynamoDBStreamsAdapterClient;
import com.amazonaws.services.dynamodbv2.streamsadapter.StreamsSchedulerFactory;
import com.amazonaws.services.dynamodbv2.streamsadapter.polling.DynamoDBStreamsPollingConfig;
import java.io.IOException;
import java.net.URI;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.coordinator.CoordinatorConfig;
import software.amazon.kinesis.coordinator.CoordinatorConfig.ClientVersionConfig;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.metrics.MetricsLevel;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.processor.StreamTracker;
import software.amazon.kinesis.retrieval.RetrievalConfig;

/**
 * A worker of the Kinesis Client Library over the DynamoDB Streams Kinesis Adapter, which tells all
 * that it does in lines of JSON and stops at the end of its standard input.
 *
 * <p>Arguments: endpoint, region, stream ARN, application name, worker id, and how leases are shared
 * out, a name of ClientVersionConfig. Intervals are short, so that a test need not wait for them.
 */
public final class StreamWorker {
  private static final long STOP_MILLIS_MAX = 30_000;

  private final URI endpoint;
  private final Region region;
  private final StreamTracker stream;
  private final ConfigsBuilder configs;
  private final AmazonDynamoDBStreamsAdapterClient adapter;

  private StreamWorker(String[] arguments) {
    endpoint = URI.create(arguments[0]);
    region = Region.of(arguments[1]);
    stream =
        StreamsSchedulerFactory.createSingleStreamTracker(
            arguments[2],
            InitialPositionInStreamExtended.newInitialPosition(
                InitialPositionInStream.TRIM_HORIZON));
    adapter = new AmazonDynamoDBStreamsAdapterClient(streams(), region);
    String application = arguments[3];
    String worker = arguments[4];
    configs =
        new ConfigsBuilder(
            stream, application, adapter, leases(), metrics(), worker, TellingProcessor::new);
  }

  public static void main(String[] arguments) throws Exception {
    Scheduler scheduler =
        new StreamWorker(arguments).scheduler(ClientVersionConfig.valueOf(arguments[5]));
    Thread thread = new Thread(scheduler, "scheduler");
    thread.start();
    awaitEndOfInput();
    // Not the graceful shutdown: with intervals as short as these the library finds the leases that
    // it has just let go, starts their shards again and so never ends.
    scheduler.shutdown();
    thread.join(STOP_MILLIS_MAX);
    Telling.tell("stopped", "ended", !thread.isAlive());
    System.exit(0);
  }

  private static void awaitEndOfInput() throws IOException {
    while (System.in.read() != -1) {
      // Only its end says something.
    }
  }

  private DynamoDbStreamsClient streams() {
    return DynamoDbStreamsClient.builder().endpointOverride(endpoint).region(region).build();
  }

  private DynamoDbAsyncClient leases() {
    return DynamoDbAsyncClient.builder().endpointOverride(endpoint).region(region).build();
  }

  /** The library asks for this client even where nothing is measured. */
  private CloudWatchAsyncClient metrics() {
    return CloudWatchAsyncClient.builder().endpointOverride(endpoint).region(region).build();
  }

  private Scheduler scheduler(ClientVersionConfig version) {
    return StreamsSchedulerFactory.createScheduler(
        configs.checkpointConfig(),
        coordination(version),
        leaseManagement(),
        configs.lifecycleConfig().taskBackoffTimeMillis(100),
        configs
            .metricsConfig()
            .metricsLevel(MetricsLevel.NONE)
            .metricsFactory(new NullMetricsFactory()),
        configs.processorConfig(),
        retrieval(),
        adapter);
  }

  private CoordinatorConfig coordination(ClientVersionConfig version) {
    return configs
        .coordinatorConfig()
        .clientVersionConfig(version)
        .skipShardSyncAtWorkerInitializationIfLeasesExist(true)
        .parentShardPollIntervalMillis(200)
        .shardConsumerDispatchPollIntervalMillis(100)
        .schedulerInitializationBackoffTimeMillis(200);
  }

  /** Finished leases stay, so that a test can look at them. */
  private LeaseManagementConfig leaseManagement() {
    return configs
        .leaseManagementConfig()
        .cleanupLeasesUponShardCompletion(false)
        .failoverTimeMillis(2000)
        .shardSyncIntervalMillis(500)
        .leasesRecoveryAuditorInconsistencyConfidenceThreshold(0);
  }

  private RetrievalConfig retrieval() {
    return configs
        .retrievalConfig()
        .streamTracker(stream)
        .retrievalSpecificConfig(
            new DynamoDBStreamsPollingConfig(adapter).idleTimeBetweenReadsInMillis(100));
  }
}
