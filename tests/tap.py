"""Test results as TAP lines: `ok 1 - sentence`, `not ok 2 - sentence`, and lines of explanation behind `#`."""
import sys
import time
import traceback


class Tap:
    """Numbers and prints the results of one suite."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def result(self, passed, sentence, explanation=""):
        self.count += 1
        self.failed += not passed
        print(f"{'ok' if passed else 'not ok'} {self.count} - {sentence}")
        for line in str(explanation).splitlines():
            print(f"#   {line}")
        sys.stdout.flush()

    def skip(self, sentence, why):
        """What cannot be tried here: not failed, and told."""
        self.count += 1
        print(f"ok {self.count} - {sentence} # SKIP {why}", flush=True)

    def run(self, function, *arguments):
        """Runs a function named as a sentence; whatever it raises is a failure with its reason."""
        sentence = function.__name__.replace("_", " ")
        begun = time.monotonic()
        try:
            function(*arguments)
        except KeyboardInterrupt:
            raise
        except BaseException as fault:  # a test may call sys.exit
            place = traceback.extract_tb(fault.__traceback__)[-1]
            self.result(False, sentence, f"{type(fault).__name__}: {fault}\n{place.filename}:{place.lineno}")
        else:
            self.result(True, f"{sentence} ({time.monotonic() - begun:.1f} s)")

    def end(self):
        print(f"1..{self.count}")
        return 1 if self.failed or not self.count else 0
