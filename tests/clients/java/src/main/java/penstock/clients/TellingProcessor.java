package penstock.clients;

import com.amazonaws.services.dynamodbv2.streamsadapter.adapter.DynamoDBStreamsClientRecord;
import com.amazonaws.services.dynamodbv2.streamsadapter.model.DynamoDBStreamsProcessRecordsInput;
import com.amazonaws.services.dynamodbv2.streamsadapter.processor.DynamoDBStreamsShardRecordProcessor;
import java.util.LinkedHashMap;
import java.util.Map;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.Record;
import software.amazon.awssdk.services.dynamodb.model.StreamRecord;
import software.amazon.kinesis.exceptions.InvalidStateException;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;

/** Tells each record of a shard and each step of its life, and checkpoints after every batch. */
final class TellingProcessor implements DynamoDBStreamsShardRecordProcessor {
  private String shardId;

  @Override
  public void initialize(InitializationInput input) {
    shardId = input.shardId();
    Telling.tell(
        "started",
        "shard", shardId,
        "after", input.extendedSequenceNumber().sequenceNumber());
  }

  @Override
  public void processRecords(DynamoDBStreamsProcessRecordsInput input) {
    for (DynamoDBStreamsClientRecord each : input.records()) {
      Telling.tell("record", "shard", shardId, "record", json(each.getRecord()));
    }
    if (!input.records().isEmpty()) {
      checkpoint(input.checkpointer());
    }
  }

  @Override
  public void shardEnded(ShardEndedInput input) {
    Telling.tell("ended", "shard", shardId);
    checkpoint(input.checkpointer());
  }

  @Override
  public void leaseLost(LeaseLostInput input) {
    Telling.tell("lost", "shard", shardId);
  }

  @Override
  public void shutdownRequested(ShutdownRequestedInput input) {
    Telling.tell("asked to stop", "shard", shardId);
    checkpoint(input.checkpointer());
  }

  private void checkpoint(RecordProcessorCheckpointer checkpointer) {
    try {
      checkpointer.checkpoint();
    } catch (InvalidStateException | ShutdownException refused) {
      Telling.tell("not checkpointed", "shard", shardId, "why", refused.toString());
    }
  }

  /** A record as the API writes it, without what is the same in every one. */
  private static Map<String, Object> json(Record record) {
    StreamRecord change = record.dynamodb();
    Map<String, Object> changed = new LinkedHashMap<>();
    changed.put("Keys", json(change.keys()));
    if (change.hasNewImage()) {
      changed.put("NewImage", json(change.newImage()));
    }
    if (change.hasOldImage()) {
      changed.put("OldImage", json(change.oldImage()));
    }
    changed.put("SequenceNumber", change.sequenceNumber());
    return Map.of(
        "eventID", record.eventID(), "eventName", record.eventNameAsString(), "dynamodb", changed);
  }

  private static Map<String, Object> json(Map<String, AttributeValue> item) {
    Map<String, Object> values = new LinkedHashMap<>();
    item.forEach((name, value) -> values.put(name, json(value)));
    return values;
  }

  /** A string or number; the test's items have nothing else. */
  private static Map<String, String> json(AttributeValue value) {
    return switch (value.type()) {
      case S -> Map.of("S", value.s());
      case N -> Map.of("N", value.n());
      default -> throw new IllegalArgumentException("a value of type " + value.type());
    };
  }
}
