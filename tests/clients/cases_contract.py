"""Both published descriptions against berthd: their examples, and the checker itself."""
import shutil
import tempfile

import berth
import examples
import swagger

GROUP = f"/subscriptions/{berth.SUBSCRIPTION}/resourceGroups/rg/{berth.PROVIDER}/containerGroups/web?api-version="
ERROR = b'{"error":{"code":"c","message":"m"}}'
STANDS = (b'{"id":"/x","name":"web","properties":{"provisioningState":"Succeeded","osType":"Linux","containers":[{"name":"c",'
          b'"properties":{"image":"i","resources":{"requests":{"cpu":1,"memoryInGB":1.5}}%s}}]}}')
# Replies that leave the contract: (method, version, status, headers, body, what the checker must say).
WRONG = [
    ("GET", "2023-05-01", 200, {}, STANDS % b"", "Content-Type"),
    ("GET", "2023-05-01", 202, None, STANDS % b"", "may not answer 202"),
    ("GET", "2023-05-01", 200, None, STANDS % b',"password":"x"', "password"),
    ("GET", "2023-05-01", 200, None, STANDS % b',"environmentVariables":[{"name":"A","secureValue":"x"}]', "it is a secret"),
    ("GET", "2023-05-01", 200, None, STANDS % b',"command":null', "None"),
    ("GET", "2023-05-01", 200, None, STANDS % b',"configMap":{"keyValuePairs":{}}', "configMap"),
    ("GET", "2023-05-01", 200, None, (STANDS % b"").replace(b"Linux", b"linux"), "linux"),
    ("GET", "2023-05-01", 200, None, (STANDS % b"").replace(b'"image":"i",', b'"image":7,'), "7"),
    ("GET", "2023-05-01", 200, None, STANDS % b',"instanceView":{"currentState":{"startTime":"yesterday"}}', "yesterday"),
    ("GET", "2025-09-01", 404, None, b'{"code":"c"}', "code"),
    ("GET", "2025-09-01", 404, None, b"not found", "no JSON"),
    ("DELETE", "2025-09-01", 204, None, b"{}", "none is described"),
    ("PUT", "2025-09-01", 201, None, STANDS % b"", "none of"),
    ("PUT", "2025-09-01", 201, {"Azure-AsyncOperation": "/relative"}, STANDS % b"", "no absolute address"),
]
RIGHT = [
    ("GET", "2023-05-01", 200, None, STANDS % b""),
    ("GET", "2025-09-01", 200, None, STANDS % b',"configMap":{"keyValuePairs":{}}'),
    ("GET", "2025-09-01", 404, None, ERROR),
    ("DELETE", "2025-09-01", 204, None, b""),
    ("PUT", "2025-09-01", 201, {"Azure-AsyncOperation": "https://a/b", "Content-Type": "application/json"}, STANDS % b""),
]


def reply_of(status, headers, body):
    return berth.Reply(status, {"Content-Type": "application/json"} if headers is None else headers, body)


def every_kind_of_wrong_reply_is_noticed(swaggers):
    for method, version, status, headers, body, part in WRONG:
        given = headers if not headers else {"Content-Type": "application/json", **headers}
        said = swaggers.fault(method, GROUP + version, reply_of(status, given, body))
        assert said and part in said, f"{method} {status} {body[-90:]}: {said}"


def replies_as_described_pass(swaggers):
    for method, version, status, headers, body in RIGHT:
        said = swaggers.fault(method, GROUP + version, reply_of(status, headers, body))
        assert not said, said


def the_answers_in_the_examples_fit_too(swaggers):
    for example in examples.read(swaggers):
        for status, answer in example.content["responses"].items():
            if "body" not in answer or status not in example.call["responses"]:
                continue
            validator = swaggers.loose[example.version].validator(example.path, example.method, status)
            wrong = [] if validator is None else list(validator.iter_errors(answer["body"]))
            assert not wrong, f"{example.version}/{example.file}: {wrong[0].json_path}: {wrong[0].message}"


def attempt(report, sentence, function, *arguments):
    try:
        function(*arguments)
        report.result(True, sentence)
    except Exception as fault:  # any failure of one example is that one's
        report.result(False, sentence, fault)


def run(report):
    swaggers = swagger.Swaggers()
    for case in (every_kind_of_wrong_reply_is_noticed, replies_as_described_pass, the_answers_in_the_examples_fit_too):
        report.run(case, swaggers)
    folder = tempfile.mkdtemp(prefix="berth-contract-")
    plane = examples.Plane(folder, swaggers)
    judge = examples.Judge(plane)
    try:
        for example in examples.read(swaggers):
            attempt(report, f"{example.version} {example.file[:-5]} is answered as described", judge.play, example)
        for field, value in examples.NO_EXAMPLE.items():
            attempt(report, f"{field} is refused with 501 and its name", judge.put_what_no_example_holds, field, value)
        left = judge.unneeded()
        report.result(not left, "every line of what is not run is still needed", "\n".join(map(str, left)))
    finally:
        status, said = plane.stop(), plane.daemon.sanitizer_report()
        report.result(status == 0 and not said, "berthd ends cleanly", said or f"exit status {status}")
        shutil.rmtree(folder, ignore_errors=True)
