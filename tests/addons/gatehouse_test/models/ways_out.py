import _thread
import asyncio
import concurrent.futures
import multiprocessing
import multiprocessing.pool
import os
import queue
import subprocess
import threading
import time

import psycopg2
from odoo import models, sql_db
from psycopg2 import extensions, extras
from psycopg2.sql import SQL, Identifier

# What a method might do to end its transaction, by the name of the way: each is given the cursor.
ENDS = {
    "commit": lambda cr: cr._cnx.commit(),
    "rollback": lambda cr: cr._cnx.rollback(),
    "real commit": lambda cr: cr._real.commit(),
    "real close": lambda cr: cr._real.close(),
    "close": lambda cr: cr._cnx.close(),
    "reset": lambda cr: cr._cnx.reset(),
    "cancel": lambda cr: cr._cnx.cancel(),
    "with": lambda cr: cr._cnx.__exit__(None, None, None),
    "tpc": lambda cr: cr._cnx.tpc_commit(),
    "autocommit": lambda cr: setattr(cr._cnx, "autocommit", False),
    "isolation level": lambda cr: setattr(cr._cnx, "isolation_level", None),
    "read only": lambda cr: setattr(cr._cnx, "readonly", True),
    "deferrable": lambda cr: setattr(cr._cnx, "deferrable", True),
    "session": lambda cr: cr._cnx.set_session(autocommit=True),
    "level": lambda cr: cr._cnx.set_isolation_level(0),
    "the pool": lambda cr: sql_db._Pool.give_back(cr._cnx),
    "all connections": lambda cr: sql_db.close_all(),
    "driver cursor": lambda cr: cr._obj.execute("COMMIT"),
    "driver cursor closed": lambda cr: cr._obj.close(),
    "another driver cursor": lambda cr: cr._cnx.cursor().execute("COMMIT"),
    "dict cursor": lambda cr: cr._cnx.cursor(cursor_factory=extras.RealDictCursor).execute("COMMIT"),
    "made cursor": lambda cr: cr._cnx.cursor(cursor_factory=lambda *given, **named: extensions.cursor(*given)),
    "composed": lambda cr: cr.execute(SQL("SELECT {}; COMMIT").format(Identifier("id"))),
    "bytes": lambda cr: cr.execute(b"COMMIT"),
    "as it is": lambda cr: cr.execute("SELECT 1 %s", (extensions.AsIs("; COMMIT"),)),
    "many": lambda cr: cr.executemany("COMMIT", [()]),
    "values": lambda cr: cr.execute_values("SELECT 1; COMMIT; SELECT %s", [(1,)]),
    "procedure": lambda cr: cr.execute("DO $$ BEGIN COMMIT; END $$"),
    "function": lambda cr: cr._obj.callproc("now(); COMMIT; SELECT now"),
    "copy": lambda cr: cr.copy_expert("COMMIT; COPY (SELECT 1) TO STDOUT", None),
    "own connection": lambda cr: psycopg2.connect(dbname=cr.dbname),
    "own connection of a class": lambda cr: sql_db.PsycoConnection(f"dbname={cr.dbname}"),
    "borrowed connection": lambda cr: sql_db._Pool.borrow(sql_db.connection_info_for(cr.dbname)[1]),
    "own cursor of Odoo": lambda cr: sql_db.Cursor(sql_db._Pool, cr.dbname, sql_db.connection_info_for(cr.dbname)[1]),
}


def _in_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def _in_bare_thread(work):
    done = threading.Event()
    _thread.start_new_thread(lambda: (work(), done.set()), ())
    done.wait()


def _in_pool(work):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        pool.submit(work).result()
        list(pool.map(lambda number: number, range(3)))


def _in_event_loop(work):
    async def main():
        await asyncio.get_running_loop().run_in_executor(None, work)
        await asyncio.to_thread(time.sleep, 0)

    asyncio.run(main())


def _in_loop_of_a_thread(work):
    async def main():
        work()

    loop = asyncio.new_event_loop()
    try:
        threading.Thread(target=loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(main(), loop).result()
    finally:
        loop.close()


def _in_prepared_pool(work):
    with concurrent.futures.ThreadPoolExecutor(1, initializer=print) as pool:
        pool.submit(work).result()


def _in_pool_of_multiprocessing(work):
    with multiprocessing.pool.ThreadPool(1) as pool:
        pool.apply(work)


def _in_processes(work):
    with concurrent.futures.ProcessPoolExecutor(1) as pool:
        pool.submit(print).result()


def _in_spawned_processes(work):
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        pool.submit(print).result()


def _in_process(work):
    process = multiprocessing.Process(target=work)
    process.start()
    process.join()


def _serve(jobs, take):
    """Do what comes by a queue, in a thread that only others end."""

    def serve():
        while True:
            take(jobs)()

    threading.Thread(target=serve, daemon=True).start()


def _polling(work):
    def poll():
        while True:
            time.sleep(1)

    _in_thread(poll)


def _fork():
    if not os.fork():
        os._exit(0)


# Ways in which a method might have its work done by others.
OTHERS = {
    "thread": _in_thread,
    "bare thread": _in_bare_thread,
    "exit": lambda work: _in_thread(lambda: (work(), _thread.exit())),
    "pool": _in_pool,
    "event loop": _in_event_loop,
    "timer": lambda work: threading.Timer(3600, work).start(),
    "loop of a thread": _in_loop_of_a_thread,
    "prepared pool": _in_prepared_pool,
    "pool of multiprocessing": _in_pool_of_multiprocessing,
    "processes": _in_processes,
    "spawned processes": _in_spawned_processes,
    "process": _in_process,
    "queue": lambda work: _serve(queue.Queue(), lambda jobs: jobs.get()),
    "simple queue": lambda work: _serve(queue.SimpleQueue(), lambda jobs: jobs.get()),
    "queue that is looked at": lambda work: _serve(queue.Queue(), lambda jobs: jobs.get(timeout=30)),
    "event": lambda work: threading.Event().wait(),
    "polling": _polling,
    "fork": lambda work: _fork(),
    "shell": lambda work: os.system("true"),
    "program": lambda work: subprocess.run(["true"], check=True),
    "spawned program": lambda work: os.posix_spawn("/bin/true", ["true"], {}),
}


class WaysOut(models.Model):
    """Methods that try to get out of the transaction in which they are called."""

    _inherit = "test.record"

    def end(self, way, name):
        """Create a record, end the transaction in this way (or by this statement), and create another."""
        self._create_now(name)
        if way in ENDS:
            ENDS[way](self.env.cr)
        else:
            self.env.cr.execute(way)
        self._create_now(name)
        return True

    def _create_now(self, name):
        self.create({"name": name})
        self.env.flush_all()

    def have_done(self, way, name):
        """Have a record created, in a transaction of its own, by other means than this thread."""

        def work():
            with self.env.registry.cursor() as cr:
                self.with_env(self.env(cr=cr)).create({"name": name})

        OTHERS[way](work)
        return True

    def run_sql(self, statement):
        """Run SQL and return the first value."""
        self.env.cr.execute(statement)
        return self.env.cr.fetchone()[0]

    def leave_by_force(self, name):
        """End the transaction by what nothing in Python can hold back."""
        self._create_now(name)
        extensions.cursor.execute(self.env.cr._obj, "ROLLBACK AND CHAIN")
        return True

    def write_from_a_get(self, way, name):
        """Create a record past the read-only transaction of a GET."""
        insert = f"INSERT INTO test_record (name) VALUES ('{name}')"
        cr = self.env.cr
        if way == "statement":
            cr.execute(f"COMMIT; {insert}")
        elif way == "begin":
            cr.execute("COMMIT; BEGIN")
            cr.execute(insert)
        elif way == "read write":
            cr.commit()
            cr.execute("SET TRANSACTION READ WRITE")
            cr.execute(insert)
        elif way == "driver cursor":
            cr._cnx.commit()
            cr._cnx.cursor().execute(insert)
        elif way == "session":
            cr._cnx.autocommit = False
            cr.execute(insert)
        else:
            with self.env.registry.cursor() as other:
                other.execute(insert)
        return True
