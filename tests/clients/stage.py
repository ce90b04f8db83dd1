"""What the clients are driven against: registries, berthd with TLS and a CA of its own, a node that really runs groups.

They learn where it is from the environment, by the names that deploy/quickstart writes to build/quickstart.env and a few
more; so each suite also runs by hand against a quickstart."""
import concurrent.futures
import json
import os

import berth
import refusals

PAGED = 130  # groups in the resource group whose list has more than one page
USER, PASSWORD = "tester", "registry-password"


class Stage(berth.Berth):
    def __init__(self):
        super().__init__()
        try:
            self.private = berth.Registry(self.folder, password=PASSWORD)
            self.private.push(self.archive, "busybox:1")
            self.fill_pages()
        except BaseException:
            self.close()
            raise

    def close(self):
        if getattr(self, "private", None):
            self.private.stop()
        super().close()

    def fill_pages(self):
        path = f"/subscriptions/{berth.SUBSCRIPTION}/resourceGroups/paged"
        self.client.request("PUT", f"{path}?api-version=2021-04-01", {"location": berth.LOCATION}).expect(201)
        waits = berth.group([berth.container("c", self.image)], location=berth.QUEUE_LOCATION)

        def put(number):
            one = f"{path}/{berth.PROVIDER}/containerGroups/p{number:03}?api-version={berth.API}"
            self.client.request("PUT", one, waits).expect(201)
        with concurrent.futures.ThreadPoolExecutor(8) as workers:
            list(workers.map(put, range(PAGED)))

    def environment(self, suite):
        """Of one suite's programs: nothing of this machine's own Azure settings or trust."""
        principal = self.daemon.principal()
        cases = os.path.join(self.folder, f"refusals-{suite}.json")
        with open(cases, "w", encoding="utf-8") as out:
            json.dump(refusals.cases(f"rg-{suite}", self.registry.host, self.private.host), out)
        kept = {key: value for key, value in os.environ.items() if not key.upper().startswith(("AZURE_", "ARM_", "BERTH_"))}
        return {**kept, "REQUESTS_CA_BUNDLE": self.daemon.ca, "WEBSOCKET_CLIENT_CA_BUNDLE": self.daemon.ca, "NODE_EXTRA_CA_CERTS": self.daemon.ca,
                "BERTH_CA": self.daemon.ca, "BERTH_AUTHORITY": self.daemon.url, "BERTH_TENANT_ID": principal["tenantId"],
                "BERTH_CLIENT_ID": principal["clientId"], "BERTH_CLIENT_SECRET": principal["clientSecret"],
                "BERTH_SUBSCRIPTION": berth.SUBSCRIPTION, "BERTH_LOCATION": berth.LOCATION,
                "BERTH_RESOURCE_GROUP": f"rg-{suite}", "BERTH_IMAGE": self.image, "BERTH_PRIVATE_REGISTRY": self.private.host,
                "BERTH_REGISTRY_USER": USER, "BERTH_REGISTRY_PASSWORD": PASSWORD, "BERTH_REFUSALS": cases,
                "BERTH_PAGED": str(PAGED), "PYTHONWARNINGS": "ignore", "NODE_NO_WARNINGS": "1"}
