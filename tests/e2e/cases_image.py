"""Images: what a registry or an image can do wrong, told in the group's events."""
import os
import shutil
import socket
import threading

from berth import API, LOCATION, PROVIDER, SUBSCRIPTION, Registry, busybox_archive, container, free_port, group, wait


def texts(berth, name):
    """All that events and state of a group say."""
    properties = berth.get(name)["properties"]
    views = [c["properties"].get("instanceView", {}) for c in properties["containers"]]
    events = properties["instanceView"].get("events", []) + [e for v in views for e in v.get("events", [])]
    return " | ".join(f"{e['name']}: {e['message']}" for e in events)


def refused_or_told(berth, name, image, part):
    """The PUT is refused with the reason, or the group's events give it."""
    reply = berth.put(name, group([container("c", image, ["true"])]))
    if reply.status != 201:
        assert reply.code in ("InaccessibleImage", "RegistryErrorResponse", "OsVersionNotSupported"), reply.text
        assert part.lower() in reply.text.lower(), reply.text
        return
    try:
        wait(f"an event says {part}", lambda: part.lower() in texts(berth, name).lower(), 40)
    finally:
        berth.delete(name)


def an_image_that_is_not_there_is_told_by_name(berth):
    refused_or_told(berth, "no-image", f"{berth.registry.host}/nothing:1", f"{berth.registry.host}/nothing:1")


def an_unknown_tag_is_told(berth):
    refused_or_told(berth, "no-tag", f"{berth.registry.host}/busybox:none", "busybox:none")


def a_registry_that_does_not_answer_is_told(berth):
    port = free_port()
    refused_or_told(berth, "dead", f"127.0.0.1:{port}/busybox:1", f"127.0.0.1:{port}")


def a_registry_that_hangs_up_is_told(berth):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(16)
        going = threading.Event()

        def hang_up():
            server.settimeout(0.2)
            while not going.is_set():
                try:
                    server.accept()[0].close()
                except OSError:
                    continue
        worker = threading.Thread(target=hang_up)
        worker.start()
        try:
            host = f"127.0.0.1:{server.getsockname()[1]}"
            refused_or_told(berth, "hangs", f"{host}/busybox:1", host)
        finally:
            going.set()
            worker.join()


def an_image_for_another_machine_is_told(berth):
    archive = busybox_archive(berth.folder, "--architecture", "arm64")
    reference = berth.registry.push(archive, "foreign:1")
    refused_or_told(berth, "foreign", reference, "arm64")


def an_image_by_digest_runs(berth):
    digest = berth.digest("busybox:1")
    berth.put("digest", group([container("c", f"{berth.registry.host}/busybox@{digest}", ["sleep", "600"])])).expect(201)
    berth.wait_state("digest", "Running")
    berth.delete("digest")


def a_command_that_is_not_in_the_image_is_told(berth):
    berth.put("no-command", group([container("c", berth.image, ["/nowhere/at-all"])], policy="Never")).expect(201)
    wait("events name the command", lambda: "/nowhere/at-all" in texts(berth, "no-command"), 30)
    berth.delete("no-command")


def a_stopped_group_starts_without_the_registry_when_the_image_is_there(berth):
    folder = os.path.join(berth.folder, "second")
    os.makedirs(folder)
    other = Registry(folder)
    try:
        reference = other.push(busybox_archive(folder), "busybox:1")
        berth.put("warm", group([container("c", reference, ["sleep", "600"])])).expect(201)
        berth.wait_state("warm", "Running")
    finally:
        other.stop()
        shutil.rmtree(folder)
    berth.post("warm", "stop").expect(204)
    berth.wait_state("warm", "Stopped")
    berth.post("warm", "start").expect(202, 204)
    berth.wait_state("warm", "Running")
    berth.delete("warm")


def images_that_nodes_hold_are_listed(berth):
    path = f"/subscriptions/{SUBSCRIPTION}/{PROVIDER}/locations/{LOCATION}/cachedImages?api-version={API}"
    berth.put("holds", group([container("c", berth.image, ["sleep", "600"])])).expect(201)
    berth.wait_state("holds", "Running")

    def listed():
        return {"osType": "Linux", "image": berth.image} in berth.client.request("GET", path).expect(200).json["value"]
    wait("the image is listed", listed, 10)
    berth.delete("holds")


CASES = [
    an_image_that_is_not_there_is_told_by_name, an_unknown_tag_is_told, a_registry_that_does_not_answer_is_told,
    a_registry_that_hangs_up_is_told, an_image_for_another_machine_is_told, an_image_by_digest_runs,
    a_command_that_is_not_in_the_image_is_told, a_stopped_group_starts_without_the_registry_when_the_image_is_there,
    images_that_nodes_hold_are_listed,
]
