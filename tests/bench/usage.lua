-- Reports of many nodes in turn: NODES is a file with a line "id credential sequence uid" for each. Every report raises its node's
-- watermark by a second; in every CHURN-th one of its groups ends and runs again.
local nodes, at, second = {}, 0, tonumber(os.getenv("SECOND"))
local churn = tonumber(os.getenv("CHURN"))

local function load_nodes()
  for line in io.lines(os.getenv("NODES")) do
    local id, credential, sequence, uids = line:match("(%S+) (%S+) (%S+) (.*)")
    local node = { sequence = tonumber(sequence), incarnation = {}, from = {}, uids = {}, headers = {
      ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. credential, ["Berth-Node"] = id } }
    for uid in uids:gmatch("%S+") do
      node.uids[#node.uids + 1] = uid
    end
    nodes[#nodes + 1] = node
  end
end
load_nodes()

local function interval(uid, incarnation, from, to)
  return string.format('{"uid":"%s","incarnation":%d,"from":%d,"to":%d,"cpuMilli":100,"memoryMib":128,"gpus":0,"priceClass":0}',
    uid, incarnation, from, to)
end

-- The group whose turn it is ends now and runs again.
local function changes(node)
  local which = second % #node.uids + 1
  local uid, incarnation = node.uids[which], node.incarnation[which] or 1
  local ended = interval(uid, incarnation, node.from[which] or tonumber(os.getenv("BEGAN")), second)
  node.incarnation[which], node.from[which] = incarnation + 1, second
  return ended .. "," .. interval(uid, incarnation + 1, second, 0)
end

function request()
  at = at + 1
  if at > #nodes then
    at, second = 1, second + 1
  end
  local node = nodes[at]
  node.sequence = node.sequence + 1
  local body = string.format('{"epoch":1,"sequence":%d,"watermark":%d%s}', node.sequence, second + 1,
    (at + second) % churn == 0 and ',"intervals":[' .. changes(node) .. "]" or "")
  return wrk.format("POST", "/v1/agent/report", node.headers, body)
end

function response(status)
  if status ~= 200 then
    wrong = (wrong or 0) + 1
  end
end

local threads = {}
function setup(thread)
  table.insert(threads, thread)
end

function done(summary, latency)
  local refused = 0
  for _, thread in ipairs(threads) do
    refused = refused + (thread:get("wrong") or 0)
  end
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  print(string.format('JSON {"rate": %.1f, "p50_ms": %.3f, "p99_ms": %.3f, "refused": %d, "errors": %d, "count": %d}',
    summary.requests / (summary.duration / 1000000), latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    refused, errors, summary.requests))
end
