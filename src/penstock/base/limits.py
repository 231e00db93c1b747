"""Every limit of the product, in one place: unit in the name, source and date beside it.

Sources: [D] AWS developer guide and quotas page, [M] botocore 1.43 service model, [L] measured on
AWS in 2026-10, [Y] texts captured from AWS by dynalite, [P] Penstock's own choice.
"""

# --- items [D] 2026-10
item_bytes_max = 400 * 1024
attribute_name_bytes_max = 65_535
key_attribute_name_bytes_max = 255
partition_key_bytes_max = 2048
sort_key_bytes_max = 1024
nesting_levels_max = 32
number_digits_max = 38
number_exponent_max = 125
number_exponent_min = -130

# --- expressions [D] 2026-10
expression_bytes_max = 4096
expression_operators_max = 300
expression_placeholder_bytes_max = 255
expression_in_operands_max = 100
expression_path_elements_max = 32
expression_cache_entries_max = 1024  # [P] at worst some 90 KB each
expression_cache_long_entries_max = 64  # [P] the long ones are few, and at worst 600 KB each
expression_cached_short_chars_max = 512  # [P]
expression_cached_names_chars_max = 1024  # [P] of all attribute names of one expression
list_index_max = 4_294_967_294  # [L]

# --- requests [D] 2026-10
request_body_bytes_max = 16 * 1024 * 1024
request_members_max = 10_000  # [P] of one list or map: no action takes as many
batch_get_keys_max = 100
batch_get_bytes_max = 16 * 1024 * 1024
batch_write_requests_max = 25
transaction_actions_max = 100
transaction_bytes_max = 4 * 1024 * 1024  # of what is sent, or of the items that are read
transaction_token_chars_max = 36  # [M]
transaction_token_life_ms = 10 * 60 * 1000
page_bytes_max = 1024 * 1024
scan_segments_max = 1_000_000
partiql_statement_chars_max = 8192  # [M]
partiql_next_token_chars_max = 32_768  # [M]
partiql_partitions_max = 50  # of one IN or OR
partiql_partitions_page_items_max = 10
batch_statements_max = 25  # [M]
list_tables_max = 100
table_name_chars_min = 3
table_name_chars_max = 255
table_arn_chars_max = 1024
validation_errors_listed_max = 10

# --- functions [D][M] 2026-11
function_zip_bytes_max = 50 * 1024 * 1024  # in a request
function_unzipped_bytes_max = 250 * 1024 * 1024
function_code_total_bytes_max = 75 * 1024**3  # told by GetAccountSettings, not enforced
function_concurrency_max = 1000  # of an account in a region
function_unreserved_concurrency_min = 100
function_name_chars_max = 64
function_arn_chars_max = 140  # [M] of a name in a request
function_long_arn_chars_max = 256  # [M] where the model says so
function_qualifier_chars_max = 128  # [M]
function_description_chars_max = 256  # [M]
function_list_items_max = 10_000  # [M]
function_list_page_max = 50
function_memory_mb_min = 128
function_memory_mb_max = 10_240
function_storage_mb_min = 512
function_storage_mb_max = 10_240
function_environment_bytes_max = 4096
function_policy_bytes_max = 20 * 1024
function_version_digits_max = 12  # [P]
function_cache_entries_max = 4096  # [P] decoded descriptors: some KB each
function_code_piece_bytes = 256 * 1024  # [P]
function_code_pieces_together_max = 16  # [P] of one transaction
function_zip_entries_max = 65_535  # [P]
function_request_bytes_max = 70_167_211  # [D] of CreateFunction and UpdateFunctionCode
function_directory_entries_max = 20_000  # [P] of a local directory, looked at for changes
functions_stop_seconds_max = 1.0  # [P] of the 2 s, for functions to finish what they do
functions_stop_look_seconds = 0.02  # [P]
workers_max = 1000  # [P] that a node may be allowed
function_directory_look_ms = 1000.0  # [P] between two looks at it
code_fetch_seconds_max = 20.0  # [P] that S3 may be silent
passing_folder_new_seconds = 60.0  # [P] for which nobody takes it for one of a killed server
code_sweep_interval_ms = 600_000.0  # [P]
code_unused_ms = 2 * 3600 * 1000.0  # [P] after which a node removes what it has unpacked
client_context_chars_max = 3583
event_bytes_max = 1024 * 1024  # of an invocation that nobody waits for, since 2025-10
event_retry_attempts_max = 2  # after errors of the function
event_age_seconds_min = 60
event_age_seconds_max = 21_600
event_backoff_ms_max = 300_000  # between attempts that could not run
events_under_way_max = 64  # [P] of a store, and one more of each function that has none of them
event_turn_ms_max = 5000.0  # [P] that one without room waits for its turn, before its row does
event_turns_max = 8  # [P] that wait so of one function: they leave less room for those of others
events_interval_ms = 5000.0  # [P] an alarm rings where one comes: this is for what it missed
events_retry_seconds = 1.0  # [P] after a fault of the store

# --- capacity units [D] 2026-10
write_unit_bytes = 1024
read_unit_bytes = 4096
capacity_units_max = 1_000_000_000_000  # [Y]
on_demand_warm_read_units = 12_000  # [L]
on_demand_warm_write_units = 4_000  # [L]

# --- secondary indexes [D] 2026-10
item_collection_bytes_max = 10 * 1024**3
global_indexes_max = 20
local_indexes_max = 5
index_key_attributes_max = 4  # on each side of a global index's key, since 2025-11
index_non_key_attributes_max = 20  # of one index
table_non_key_attributes_max = 100  # of all indexes that INCLUDE some

# --- the life of tables [D][L] 2026-10
table_delay_ms_max = 600_000  # [P]
throughput_decreases_free_max = 4  # on one UTC day; after that one an hour
throughput_decrease_wait_ms = 3600 * 1000
throughput_burst_seconds = 300
throughput_buckets_max = 10_000  # [P] of all tables and indexes: four numbers each
on_demand_switches_max = 4  # in 24 hours
on_demand_switches_window_ms = 24 * 3600 * 1000
table_class_changes_max = 2  # in 30 days
table_class_changes_window_ms = 30 * 24 * 3600 * 1000
deletion_protection_wait_ms = 15_000
account_read_units_max = 80_000  # told by DescribeLimits, not enforced
account_write_units_max = 80_000
table_read_units_max = 40_000
table_write_units_max = 40_000
endpoint_cache_minutes = 1440  # [M]

# --- time to live [M][D] 2026-10
time_to_live_name_chars_max = 255
ttl_seconds_max = 86_400  # [P] of its settings

# --- tags [D][M] 2026-10
tags_per_resource_max = 50
tag_key_chars_max = 128
tag_value_chars_max = 256
resource_arn_chars_max = 1283

# --- streams [M][D] 2026-10
stream_retention_ms = 24 * 3600 * 1000
iterator_life_ms = 15 * 60 * 1000
get_records_max = 1000
get_records_bytes_max = 1024 * 1024
describe_stream_shards_max = 100
list_streams_max = 100
get_records_wait_ms_max = 20_000  # [P] below the read time-outs of clients and proxies
held_reads_max = 4096  # [P] some KB each; what comes beyond is answered at once
iterator_chars_max = 2048
shards_per_table_max = 256  # [P] open at a time
shard_roll_minutes_max = 7 * 24 * 60  # [P]
shard_split_writes_max = 1_000_000  # [P] per second
shard_split_seconds_max = 3600  # [P]
shard_load_ms_min = 1000.0  # [P] a rate is measured over no less
shard_load_share_min = 0.1  # [P] of the writes: a half with less is not worth a shard of its own
stream_keep_hours_max = 366 * 24  # [P]
shard_readers_max = 2  # at the same time
reader_window_ms = 2000.0  # [P] after its last call; the Kinesis Adapter calls every 1,000 ms
shard_readers_remembered_max = 64  # [P] of one shard: a number and a time each
shards_remembered_max = 10_000  # [P] of those that are read: some 600 bytes each
stream_reads_per_write_unit = 2
list_streams_calls_per_second_max = 5
describe_stream_calls_per_second_max = 10
call_rates_remembered_max = 1000  # [P] actions in regions

# --- the edge [P]
header_bytes_max = 32 * 1024
header_count_max = 100
header_seconds_max = 20.0
body_seconds_max = 60.0
idle_seconds_max = 75.0
write_seconds_max = 30.0
connections_max = 4096
pipelined_requests_max = 64
pipelined_bytes_max = 32 * 1024 * 1024  # of one connection: bodies and answers in memory
buffered_bytes_max = 512 * 1024 * 1024  # of all connections together
write_buffer_bytes_max = 256 * 1024
linger_seconds_max = 2.0
sweep_seconds = 0.5
backlog_connections_max = 1024
stop_seconds_max = 1.5  # of the 2 s in which the process ends
caller_cache_entries_max = 1024
answers_together_max = 64  # [P] that wait for each other to be sent in a row
collected_objects_min = 20_000  # [P] new ones before unreachable cycles are looked for; some 2 MB
cached_authorization_bytes_max = 1024

# --- the engine [P]
commit_group_transactions_max = 512
commit_group_bytes_max = 8 * 1024 * 1024
token_sweep_rows_max = 256
transaction_attempts_max = 64  # each waits for a group: that many may change one table at once
table_cache_entries_max = 1024
scan_rows_max = 64  # of one scan for a page: rows of 400 KB may follow small ones
fibers_idle_max = 256  # stacks of fibers kept for the next: some 9 KB each
store_free_bytes_min = 64 * 1024 * 1024  # below it nothing is written: tidying up needs room
store_write_buffer_bytes = 32 * 1024 * 1024
store_cache_bytes = 64 * 1024 * 1024
store_rows_at_hand_max = 4096
store_open_files_max = 512
store_reopen_ms_min = 1000.0
store_close_seconds_max = 0.4  # of the same 2 s: for a sync, and for a compaction (5 to 40 ms)
reclaim_spans_max = 1024  # cleared spans whose space is still to come back
reclaim_gather_ms = 250.0  # the clears of one deleted table come within it
reclaim_budget_bytes = 256 * 1024 * 1024  # rewritten in vain, at once
reclaim_budget_bytes_per_second = 1024 * 1024  # and on the average: 86 GB a day at the very worst
reclaim_run_bytes_min = 1024 * 1024  # what a compaction costs at least
reclaim_retry_ms = 10_000.0  # RocksDB looks for room itself every 5 s
protected_keys_remembered_max = 20_000  # by the engine of the tests, which then begins anew
protected_readers_remembered_max = 64  # of one key: those with the same locks are one
protected_spans_remembered_max = 64  # read, and as many cleared

# --- the background [P]
background_stop_seconds_max = 0.2  # of the same 2 s
token_sweep_interval_ms = 60_000.0
background_rows_max = 64  # of one look at the catalogue, or at all streams
trim_interval_ms = 60_000.0
trim_shards_max = 64  # of one transaction
shard_life_interval_ms = 10_000.0
backfill_rows_max = 16  # of one step; with 64 requests ran at a quarter of their rate
backfill_bytes_max = 1024 * 1024  # of the items of one step
backfill_interval_ms = 5_000.0  # an alarm rings where a table changes: this is for what it missed
expiry_age_seconds_max = 5 * 365 * 24 * 3600  # [D] 2026-10: what is older never expires
expiry_deletes_max = 25  # in one transaction, each with an old image in its record

# --- several nodes over one store [P]
lease_ms = 10_000.0  # that a lease lasts without being renewed
lease_margin_ms = 1000.0  # that its holder stops sooner: clocks may run 5 % too slow and too fast
lease_renewal_ms = 3000.0  # after which it is renewed, or asked for again
lease_release_seconds_max = 1.0  # while the edge stops, which takes up to 1.5 s
load_shared_interval_ms = 5000.0  # below that of shard life: it finds what every node has counted
stop_delay_seconds_max = 3600  # that a node goes on serving while its health page says no
store_check_interval_ms = 1000.0
store_silent_ms_max = 5000.0  # since the store last answered: then requests should go elsewhere
bell_watch_seconds_max = 60.0  # then it is watched anew
load_nodes_max = 256  # of which the load is taken at once: a row each

# --- functions: the Runtime API and the workers
function_answer_bytes_max = 6 * 1024 * 1024 + 100  # [D] AWS's own text names 6291556
function_init_seconds_max = 10.0  # [D] 2026-11; what takes longer goes on at the invocation's cost
runtime_body_bytes_max = 64 * 1024 * 1024  # [P] that is read of an answer that is too large
runtime_header_bytes_max = 1024 * 1024 + 64 * 1024  # [P] clients put 1 MB of causes into a header
runtime_connections_max = 64  # [P] of one worker
worker_idle_ms = 300_000.0  # [P] after which an idle worker ends
worker_tend_interval_ms = 5_000.0  # [P] between looks at idle workers
worker_watch_seconds = 0.1  # [P] between looks at the memory of a worker that is not idle
worker_processes_watched_max = 1024  # [P] of one worker
worker_answer_wait_seconds = 0.25  # [P] that an answer waits for its worker to be ready again
worker_open_files_max = 1024  # [D] 2026-11
worker_memory_slack_bytes = 1024 * 1024 * 1024  # [P] of what is reserved and not used, as stacks
worker_interpreter_seconds_max = 10.0  # [P] to ask a Python or Node what it has
worker_signal_seconds = 0.3  # until a server knows that a signal to a worker was for it too
worker_end_seconds_max = 0.15  # [P] of all workers at the stop; of the same 2 s
worker_backoff_ms_min = 100.0  # [P] before a worker is started after one that never began
worker_backoff_ms_max = 10_000.0
log_line_bytes_max = 256 * 1024 - 26  # [D] 2026-11, of an event
log_tail_bytes_max = 4096  # [D] 2026-11
log_read_bytes_max = 64 * 1024  # [P] at once of one worker: others have their turn in between
log_bytes_per_second_max = 1024 * 1024  # [P] of one worker; what is more is dropped
log_line_cost_bytes = 100  # [P] that each line counts for beside its own: many are work, too
log_burst_seconds = 4.0  # [P] of it, and at first

# --- the logs of functions [M][D] 2026-11
log_name_chars_max = 512  # of a group, or of a stream
log_identifier_chars_max = 2048
log_event_bytes_max = 1024 * 1024  # of PutLogEvents
log_event_extra_bytes = 26  # that an event counts beside its message
log_put_bytes_max = 1024 * 1024
log_put_events_max = 10_000
log_put_span_ms_max = 24 * 3600 * 1000
log_put_future_ms_max = 2 * 3600 * 1000
log_put_past_ms_max = 14 * 24 * 3600 * 1000
log_page_events_max = 10_000
log_page_bytes_max = 1024 * 1024
log_describe_max = 50
log_stream_names_max = 100
log_filter_chars_max = 1024
log_token_chars_max = 4096  # [P]
log_page_searched_max = 20_000  # [P] events: some 60 ms
log_page_searched_bytes_max = 4 * 1024 * 1024  # [P] then a page may be empty and not the last
log_chunk_bytes_max = 64 * 1024  # [P] of the lines that are stored in a row
log_chunk_ms_max = 5000  # [P] from the first to the last of them
log_chunks_read_max = 8  # [P] of one scan
log_buffer_bytes_max = 8 * 1024 * 1024  # [P] of one node; what comes beyond is dropped, and counted
log_stream_buffer_bytes_max = 2 * 1024 * 1024  # [P] of one stream
log_stream_extra_bytes = 1024  # [P] that a stream with lines takes in memory beside them
log_line_extra_bytes = 128  # [P] that a line takes in memory beside its own
log_gather_seconds = 0.1  # [P] that lines are gathered for one transaction
log_retry_seconds = 1.0  # [P] after the store has failed
log_groups_written_max = 16  # [P] at once
log_stop_seconds_max = 0.3  # [P]
log_keep_days_max = 3653
log_keep_megabytes_max = 1_000_000  # [P]
log_keep_excess_percent = 25  # [P] that a group may have above its limit until it is trimmed
log_streams_kept_max = 1000  # [P] of one group
log_trim_chunks_max = 256  # [P] in one transaction
log_trim_interval_ms = 60_000.0  # [P]

# --- the test controls [P]
clock_ms_min = 946_684_800_000  # 2000-01-01: a stamp 24 hours earlier is still above 0
clock_ms_max = 4_102_444_800_000  # 2100-01-01
catch_up_seconds_max = 60.0
control_answer_seconds_max = 90.0  # and what an action is allowed to wait for beside
control_waiting_seconds_max = 3600.0
faults_max = 1000
fault_calls_max = 1_000_000_000
fault_seed_max = 2**63 - 1
fault_id_chars_max = 64
consumer_chars_max = 1024
consumers_remembered_max = 1000
consumed_shards_remembered_max = 100_000  # of all consumers: some 400 bytes each
listed_readers_max = 4000  # rows of either list: at worst 1 KB and 3 KB each
drain_seconds_default = 30.0
drain_seconds_max = 300.0
drain_records_counted_max = 1000  # of each shard that is behind
expired_iterators_max = 10_000  # that tests made expire by hand, and are remembered

# --- clients: reading a stream, tail and demo [P]
feed_idle_ms_min = 2.0
feed_idle_ms_max = 200.0
feed_wait_ms_max = 1000.0
feed_discovery_ms_min = 50.0
feed_discovery_ms_max = 10_000.0
feed_backoff_ms_min = 50.0
feed_backoff_ms_max = 5_000.0
feed_trouble_ms_max = 60_000.0
feed_serial_shards_max = 8
feed_threads_max = 8
feed_held_ms = 10_000  # a server of ours holds a read for so long: below the client's read time-out
feed_held_reads_max = 64  # at once, a thread and a connection each; of more shards none is held
feed_stop_ms_max = 100.0  # that a feed which waits for reads needs to find that it shall stop
logs_poll_ms_min = 100.0
logs_poll_ms_max = 1000.0
logs_poll_growth = 1.5
logs_overlap_ms = 5000  # that a poll looks back: lines of workers are stored one after the other
own_connect_seconds_max = 5.0  # to a server of ours, for its test controls or its page of readers
own_answer_bytes_max = 16 * 1024 * 1024  # 10,000 shards are some 4 MB
readers_answer_seconds_max = 20.0
mappings_answer_seconds_max = 20.0
mappings_refresh_seconds = 1.0
poll_refresh_seconds = 0.5  # of the line on a terminal
poll_report_seconds = 10.0  # between lines elsewhere
poll_look_seconds = 0.02  # whether they have ended
poll_stop_seconds_max = 30.0  # that the batches under way may take once it is told to stop

# --- functions and their mappings
destination_chars_max = 350  # [M] 2026-11
destination_seconds_max = 30.0  # [P] that a delivery takes, and more than its attempts together
destination_connect_seconds_max = 3.0  # [P]
destination_read_seconds_max = 10.0  # [P]
destination_calls_max = 2  # [P] of a service for one delivery
destination_threads_max = 4  # [P] of one kind: so many deliveries at once
destination_clients_max = 64  # [P] that are kept, one for each service and region
destination_queues_known_max = 1024  # [P]
destination_file_bytes_max = 64 * 1024 * 1024  # [P] then it is renamed
destination_files_kept = 5  # [P] of one name
kafka_wait_seconds_max = 10.0  # [P] for brokers, and then for a message
kafka_backoff_seconds_max = 1.0  # [P] between tries to reach a broker
kafka_message_bytes_max = 8 * 1024 * 1024  # [P] a document with an event of 6 MB
filter_pattern_chars_max = 4096  # [M] 2026-11
window_state_bytes_max = 1024 * 1024  # [D] 2026-10
partition_key_patterns_max = 1024  # [P] that are kept compiled, one for each name
filter_pattern_levels_max = 100  # [P] an item has 32, each of up to two members of a pattern

# --- functions elsewhere
function_seconds_max = 900  # [D] 2026-11
remote_invocations_max = 64  # [P] at once, a thread and a connection each
remote_queue_seconds_max = 10.0  # [P] that an invocation waits for one of those to end
remote_connect_seconds_max = 5.0  # [P]
remote_error_chars_max = 300  # [P] of an answer that is told in an error

# --- streams elsewhere [P]
remote_reads_max = 64  # calls under way for one stream, a thread each
remote_held_reads_max = 48  # of those, reads that a server of ours holds
remote_poll_ms = 250.0  # [D] 2026-11: four times a second, of each shard

# The engine on PostgreSQL.
postgres_key_bytes_max = 2000  # longer keys have a table of their own
postgres_lock_slots = 4096  # rows of the table of locks: of its schema, never to be changed alone
postgres_connect_seconds_max = 3
postgres_reply_seconds_max = 20.0  # more than a lock is waited for
postgres_clear_seconds_max = 600.0  # a clear deletes row by row
postgres_close_seconds_max = 0.3
postgres_lock_seconds_max = 10  # more than a stopped node keeps its locks
postgres_idle_seconds_max = 5  # of a transaction: then the server ends it, and its session
postgres_transaction_seconds_max = 15  # of one that clears nothing, where the server can tell
postgres_unheard_seconds_max = 10  # of a node whose machine or network is gone
postgres_group_seconds_max = 8.0  # how long a transaction is tried again, from its first try
postgres_retry_seconds = 0.1
postgres_late_seconds = 1.0  # between looks for what has waited too long for a group
postgres_look_seconds = 0.1  # between looks at a socket of which the loop may tell nothing
postgres_lanes = 4  # groups on their way at once, a connection each
postgres_views = 4  # snapshots of more than one read on their way at once, a connection each
postgres_rehearsed_keys_max = 512  # of a snapshot, read together
postgres_usual_keys_max = 64  # of one lock
postgres_usual_locks_max = 4096
postgres_tables_at_hand_max = 1024
postgres_table_age_ms_max = 200.0  # of a descriptor that a snapshot is given without asking
postgres_beat_seconds = 1.0
postgres_node_life_ms = 5000
postgres_notify_seconds = 0.002  # what is gathered for one NOTIFY
postgres_notify_bytes_max = 7000  # of 8000 that a payload may have

# --- event source mappings [P], but for what AWS gives
invocation_bytes_max = 6 * 1024 * 1024  # [D] of a synchronous invocation's event
event_frame_bytes = 64  # of an event, what is no record
window_frame_bytes = 2048  # of a tumbling window's event, what is neither record nor state
destination_attempts_max = 3
destination_pause_ms = 1000.0  # after the first failure; more after each of the next
window_late_ms = 1000  # after its end, until what was written in it can be read on every node
window_look_ms = 50.0  # between looks for it, at least
retry_ms_min = 100.0  # before the first retry; doubled before each of the next
retry_doublings_max = 10
retry_ms_max = 30_000.0
turn_after_ms = 1000.0  # that who finds no room waits before one of another function gives way
error_shown_chars_max = 500
mapping_watch_seconds_max = 30.0
mapping_shards_interval_ms = 10_000.0  # a shard that ends is followed at once: for what that misses
mapping_release_seconds_max = 0.4  # of the 2 s in which the process ends, after its functions
mapping_look_interval_ms = 1000.0  # at the stored mappings: other nodes change them too
checkpoint_age_ms_max = 60_000.0  # in a shard where nothing is written

# --- the API of event source mappings [M] 2026-11
mapping_batch_records_max = 10_000
mapping_batch_window_seconds_max = 300
mapping_lanes_max = 10  # of a shard: ParallelizationFactor
mapping_retries_max = 10_000
mapping_record_age_seconds_min = 60  # [D]: 0 to 59 are in the model and refused
mapping_record_age_seconds_max = 604_800
mapping_tumbling_window_seconds_max = 900
mapping_filters_max = 5  # [D] the quota of a new account
mapping_metrics_max = 3
mappings_page_max = 100  # [D] whatever MaxItems says
mappings_per_region_max = 1000  # [P]
source_arn_chars_max = 10_000
