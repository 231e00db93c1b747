-- Sends the requests of a file, each in its turn, and tells what came of them as one line of JSON.
--
-- wrk ... URL -- TARGET THREADS FILE
--
-- FILE holds one body a line. All requests are put together before the clock starts, so that this
-- program spends its time on sockets. Each thread takes every THREADSth line: no two send the same.
-- WRK_ADDRESSES in the environment, if it names any HOST:PORT, has the threads send there in turn.

local requests, next_index, count = {}, 0, 0
local thread_count = 0

function setup(thread)
  local addresses = {}
  for host, port in (os.getenv("WRK_ADDRESSES") or ""):gmatch("(%S+):(%d+)") do
    addresses[#addresses + 1] = wrk.lookup(host, port)[1]
  end
  if #addresses > 0 then
    thread.addr = addresses[thread_count % #addresses + 1]
  end
  thread:set("own_number", thread_count)
  thread_count = thread_count + 1
end

function init(arguments)
  local target, threads, path = arguments[1], tonumber(arguments[2]), arguments[3]
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/x-amz-json-1.0"
  wrk.headers["X-Amz-Target"] = target
  wrk.headers["X-Amz-Date"] = "20260101T000000Z"
  wrk.headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=benchmark/20260101/us-east-1/dynamodb"
    .. "/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature="
    .. string.rep("0", 64)
  local line_number = 0
  for line in io.lines(path) do
    if line_number % threads == own_number then
      requests[#requests + 1] = wrk.format(nil, "/", nil, line)
    end
    line_number = line_number + 1
  end
  count = #requests
end

function request()
  next_index = next_index % count + 1
  return requests[next_index]
end

function done(summary)
  local errors = summary.errors
  io.write(string.format(
    'told {"requests":%d,"microseconds":%d,"refused":%d,"connect":%d,"read":%d,"write":%d,'
      .. '"timeout":%d}\n',
    summary.requests, summary.duration, errors.status, errors.connect, errors.read, errors.write,
    errors.timeout
  ))
end
