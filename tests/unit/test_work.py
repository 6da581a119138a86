"""Work that Ctrl-C stops."""

import signal
import subprocess
import sys
import textwrap

from agent.cli import work


def run(script: str) -> subprocess.CompletedProcess[str]:
    """Run a script that ends its own process, as the command line does."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        # Whoever started the tests in the background had SIGINT ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def test_ctrl_c_is_seen_where_the_loop_waits_and_a_thread_got_the_signal() -> None:
    done = run(
        """
        import asyncio, signal, threading, time
        from agent.cli.work import stoppable

        def interrupt() -> None:
            time.sleep(0.2)
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
            time.sleep(30)

        async def waiting() -> None:
            threading.Thread(target=interrupt, daemon=True).start()
            await asyncio.get_running_loop().create_future()

        stoppable(
            waiting(),
            stopping=lambda: print("stopping"),
            stopped=lambda: print("stopped"),
        )
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "stopping\nstopped\n", "")


def test_a_second_ctrl_c_does_not_wait_for_what_is_being_kept() -> None:
    done = run(
        """
        import asyncio, os, signal, time
        from agent.cli.work import stoppable

        async def stubborn() -> None:
            try:
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.sleep(30)
            finally:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(30)

        stoppable(
            stubborn(), stopping=lambda: print("stopping"), stopped=lambda: print("stopped")
        )
        """
    )
    assert (done.returncode, done.stdout) == (130, "stopping\n")


def test_what_ctrl_c_meant_before_it_means_again() -> None:
    def before(*_: object) -> None:
        raise AssertionError("nobody pressed it")

    async def done() -> int:
        return 7

    was = signal.signal(signal.SIGINT, before)
    try:
        assert work.stoppable(done(), stopping=before, stopped=before) == 7
        assert signal.getsignal(signal.SIGINT) is before
    finally:
        signal.signal(signal.SIGINT, was)
