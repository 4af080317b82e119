-- One workload for wrk: requests from the generated table `spec`, every answer looked at, the outcome as one JSON line.
-- spec: method, path, body, headers, status (the expected one), values (for @V@; nil: none). @N@ becomes a new number.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  bad = 0
  first_bad = ""
  number = 0
  math.randomseed(os.time())
  for name, value in pairs(spec.headers) do -- beside Host, which wrk has set
    wrk.headers[name] = value
  end
  fixed = nil
  if not spec.values and not string.find(spec.path .. (spec.body or ""), "@N@", 1, true) then
    fixed = wrk.format(spec.method, spec.path, nil, spec.body)
  end
end

function request()
  if fixed then
    return fixed
  end
  number = number + 1
  local value = spec.values and spec.values[math.random(#spec.values)] or ""
  local fill = { ["@V@"] = value, ["@N@"] = tostring(number) }
  local path = string.gsub(spec.path, "@[VN]@", fill)
  local body = spec.body and string.gsub(spec.body, "@[VN]@", fill)
  return wrk.format(spec.method, path, nil, body)
end

function response(status, headers, body)
  -- JSON-RPC tells of errors in an answer of status 200.
  if status ~= spec.status or string.find(string.sub(body, 1, 200), '"error":', 1, true) then
    bad = bad + 1
    if first_bad == "" then
      first_bad = status .. " " .. string.gsub(string.sub(body, 1, 300), '[^%w%p ]', " ")
    end
  end
end

function done(summary, latency, requests)
  local bad, first = 0, ""
  for _, thread in ipairs(threads) do
    bad = bad + thread:get("bad")
    first = first == "" and thread:get("first_bad") or first
  end
  local lost = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format(
    '\n{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "bad": %d, "lost": %d, "first_bad": "%s"}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), bad, lost,
    string.gsub(first, '["\\]', "'")))
end
