"""Once a day: check the transforms, clean what is new, answer the questions.

Each task is one command. The Variables pinclean_source, pinclean_out and
pinclean_answers say where: folders or s3:// URLs. Anything else is set as
PINCLEAN_<OPTION> in the environment of the workers.
Written for Airflow 2.10 to 3.3.
"""

from datetime import datetime, timedelta, timezone

try:
    from airflow.providers.standard.hooks.subprocess import SubprocessHook
    from airflow.sdk import DAG, BaseOperator
    from airflow.sdk.exceptions import AirflowException, AirflowFailException
except ImportError:  # Airflow 2, 3.0 and 3.1
    from airflow import DAG
    from airflow.exceptions import AirflowException, AirflowFailException
    from airflow.hooks.subprocess import SubprocessHook
    from airflow.models.baseoperator import BaseOperator

# 2: a mistake in the options or transforms, which no further try mends.
# 3: committed, with too many rejects. A further try would find nothing new, end with 0
#    and hide it.
FINAL = {2, 3}


class PincleanOperator(BaseOperator):
    """Runs a command without a shell. Tries again after an exit code, unless it is final."""

    template_fields = ("command",)

    def __init__(self, *, command, **kwargs):
        super().__init__(**kwargs)
        self.command = command
        self.process = None

    def execute(self, context):
        self.process = SubprocessHook()
        result = self.process.run_command(command=self.command)
        self.process = None
        if result.exit_code in FINAL:
            raise AirflowFailException(f"exit code {result.exit_code}: {result.output}")
        if result.exit_code != 0:
            raise AirflowException(f"exit code {result.exit_code}: {result.output}")

    def on_kill(self):
        """A task that is cleared or takes too long gets SIGTERM, and nothing is half done."""
        if self.process:
            self.process.send_sigterm()


with DAG(
    dag_id="pinclean",
    description="Cleans what the Kafka S3 sink wrote, and answers the questions",
    schedule="15 3 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    # A run reads all that is new, so that a missed day needs no run of its own.
    catchup=False,
    max_active_runs=1,
    default_args={
        "retries": 3,
        "retry_delay": timedelta(minutes=2),
        "execution_timeout": timedelta(hours=6),
    },
    tags=["pinclean"],
):
    source, out, answers = (
        "{{ var.value.pinclean_%s }}" % name for name in ("source", "out", "answers")
    )
    commands = {
        "check": ["pinclean", "check"],
        "run": [
            "pinclean", "run", "--source", source, "--out", out,
            "--max-rejects", "1%", "--log", "json",
        ],
        "ask": [
            "pinclean", "ask", "--all", "--tables", out, "--save", answers, "--log", "json",
        ],
    }
    check, run, ask = (
        PincleanOperator(task_id=name, command=command) for name, command in commands.items()
    )
    check >> run >> ask
