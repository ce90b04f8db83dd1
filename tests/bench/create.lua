-- PUTs (or POSTs) with a new name each: URL_PATH or BODY holds NAME where the name goes, PREFIX makes runs differ.
local path = os.getenv("URL_PATH")
local body = os.getenv("BODY")
local method = os.getenv("METHOD")
local named = os.getenv("NAME_IN_BODY") == "1"
local prefix = os.getenv("PREFIX")
local headers = { ["Content-Type"] = "application/json" }
if os.getenv("TOKEN") then
  headers["Authorization"] = "Bearer " .. os.getenv("TOKEN")
end
local count = 0
local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function base64(text) -- of a text whose length is a multiple of three
  local out = {}
  for i = 1, #text, 3 do
    local a, b, c = text:byte(i, i + 2)
    local n = a * 65536 + b * 256 + c
    for shift = 18, 0, -6 do
      local at = math.floor(n / 2 ^ shift) % 64 + 1
      out[#out + 1] = alphabet:sub(at, at)
    end
  end
  return table.concat(out)
end

-- What is before the name and behind it, put together once: the load must cost little of the cores it shares.
local before, after
function init()
  local size = #prefix + 8 -- of a name
  local text = named and body:gsub("NAME", string.rep("N", size / 3 * 4), 1) or body
  local whole = wrk.format(method, path, headers, text)
  local first, last = whole:find(named and string.rep("N", size / 3 * 4) or "NAME", 1, true)
  before, after = whole:sub(1, first - 1), whole:sub(last + 1)
end

function request()
  count = count + 1
  local name = prefix .. string.format("%08d", count)
  return before .. (named and base64(name) or name) .. after
end

function response(status)
  if status ~= 200 and status ~= 201 then
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
  print(string.format('JSON {"rate": %.1f, "p50_ms": %.3f, "p99_ms": %.3f, "max_ms": %.3f, ' ..
    '"refused": %d, "errors": %d, "count": %d}', summary.requests / (summary.duration / 1000000),
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000, refused, errors, summary.requests))
end
