"""What `scripts/test-boto3.sh` runs: boto3 as it is, with nothing but the environment pointed at `aquifer serve`."""

import base64
import json
import os
import sys
import time
import traceback

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

QUESTION = "How long is parental leave in Japan?"
PROMPT = f"""<passages>
<passage number="1" source="leave.md">
Parental leave in Japan is 52 weeks. It is announced one month before it begins.
</passage>
</passages>

<question>{QUESTION}</question>"""
ANSWER = "Parental leave in Japan is 52 weeks."
CLAUDE = "anthropic.claude-sonnet-4-20250514-v1:0"
MESSAGES = [{"role": "user", "content": [{"text": PROMPT}]}]
PICTURE = base64.b64encode(b"bytes of a picture").decode()

runtime = boto3.client("bedrock-runtime", config=Config(retries={"total_max_attempts": 1}))
agent = boto3.client("bedrock-agent-runtime", config=Config(retries={"total_max_attempts": 1}))
control = boto3.client("bedrock-agent", config=Config(retries={"total_max_attempts": 1}))
KNOWLEDGE_BASE = os.environ["AQUIFER_TEST_KNOWLEDGE_BASE"]
SOURCE = {}
checks = []


def check(name):
    def register(function):
        checks.append((name, function))
        return function

    return register


def invoke(model, body):
    response = runtime.invoke_model(modelId=model, body=json.dumps(body))
    return json.loads(response["body"].read())


def stream(model, body):
    response = runtime.invoke_model_with_response_stream(modelId=model, body=json.dumps(body))
    return [json.loads(event["chunk"]["bytes"]) for event in response["body"]]


def refused(name, status, call, client=runtime):
    try:
        call()
    except ClientError as error:
        found = (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
        assert found == (name, status), found
        return error.response["Error"]["Message"]
    raise AssertionError(f"not refused with {name}")


BODIES = [
    ("amazon.titan-embed-text-v1", {"inputText": QUESTION}, lambda b: len(b["embedding"]) == 1536),
    ("amazon.titan-embed-text-v2:0", {"inputText": QUESTION, "dimensions": 512}, lambda b: len(b["embedding"]) == 512),
    (
        "amazon.titan-embed-image-v1",
        {"inputText": QUESTION, "inputImage": PICTURE},
        lambda b: len(b["embedding"]) == 1024 and b["message"] is None,
    ),
    (
        "cohere.embed-english-v3",
        {"texts": [QUESTION, "x"], "input_type": "search_document"},
        lambda b: [len(v) for v in b["embeddings"]] == [1024, 1024],
    ),
    (
        CLAUDE,
        {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 300,
            "messages": [{"role": "user", "content": PROMPT}],
        },
        lambda b: ANSWER in b["content"][0]["text"] and b["stop_reason"] == "end_turn",
    ),
    (
        "anthropic.claude-v2",
        {"prompt": f"\n\nHuman: {PROMPT}\n\nAssistant:", "max_tokens_to_sample": 300},
        lambda b: ANSWER in b["completion"],
    ),
    (
        "ai21.j2-mid-v1",
        {"prompt": PROMPT, "maxTokens": 300},
        lambda b: ANSWER in b["completions"][0]["data"]["text"],
    ),
    (
        "ai21.jamba-1-5-large-v1:0",
        {"messages": [{"role": "user", "content": PROMPT}], "max_tokens": 300},
        lambda b: ANSWER in b["choices"][0]["message"]["content"],
    ),
    (
        "amazon.titan-text-express-v1",
        {"inputText": f"User: {PROMPT}\nBot:", "textGenerationConfig": {"maxTokenCount": 300}},
        lambda b: ANSWER in b["results"][0]["outputText"],
    ),
    (
        "amazon.nova-micro-v1:0",
        {"schemaVersion": "messages-v1", "messages": MESSAGES},
        lambda b: ANSWER in b["output"]["message"]["content"][0]["text"],
    ),
    (
        "stability.stable-diffusion-xl-v1",
        {"text_prompts": [{"text": "a lighthouse"}]},
        lambda b: base64.b64decode(b["artifacts"][0]["base64"])[1:4] == b"PNG",
    ),
    (
        "stability.sd3-5-large-v1:0",
        {"prompt": "a lighthouse"},
        lambda b: base64.b64decode(b["images"][0])[1:4] == b"PNG",
    ),
    (
        "amazon.titan-image-generator-v2:0",
        {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a lighthouse"}},
        lambda b: base64.b64decode(b["images"][0])[1:4] == b"PNG",
    ),
    (
        "cohere.rerank-v3-5:0",
        {"query": QUESTION, "documents": ["printers", ANSWER], "api_version": 2},
        lambda b: b["results"][0]["index"] == 1,
    ),
]
for model, body, holds in BODIES:

    @check(f"invokes {model}")
    def _(model=model, body=body, holds=holds):
        answered = invoke(model, body)
        assert holds(answered), json.dumps(answered)[:500]


TEXTS = {
    CLAUDE: lambda c: c.get("delta", {}).get("text", ""),
    "anthropic.claude-v2": lambda c: c["completion"],
    "ai21.jamba-1-5-large-v1:0": lambda c: c["choices"][0]["delta"].get("content", ""),
    "amazon.titan-text-express-v1": lambda c: c["outputText"],
    "amazon.nova-micro-v1:0": lambda c: c.get("contentBlockDelta", {}).get("delta", {}).get("text", ""),
}
for model, body, _holds in BODIES:
    if model in TEXTS:

        @check(f"streams {model}")
        def _(model=model, body=body):
            chunks = stream(model, body)
            text = "".join(TEXTS[model](chunk) for chunk in chunks)
            assert ANSWER in text, text
            assert chunks[-1]["amazon-bedrock-invocationMetrics"]["outputTokenCount"] > 0


@check("does not stream Jurassic")
def _():
    refused("ValidationException", 400, lambda: stream("ai21.j2-ultra-v1", {"prompt": "x"}))


@check("converses")
def _():
    whole = runtime.converse(modelId=f"us.{CLAUDE}", messages=MESSAGES, inferenceConfig={"maxTokens": 300})
    assert ANSWER in whole["output"]["message"]["content"][0]["text"]
    assert whole["usage"]["totalTokens"] == whole["usage"]["inputTokens"] + whole["usage"]["outputTokens"]


@check("converses in a stream")
def _():
    events = list(runtime.converse_stream(modelId=f"us.{CLAUDE}", messages=MESSAGES)["stream"])
    text = "".join(e["contentBlockDelta"]["delta"]["text"] for e in events if "contentBlockDelta" in e)
    assert ANSWER in text, text
    assert [next(iter(events[0])), next(iter(events[-1]))] == ["messageStart", "metadata"]


@check("counts tokens")
def _():
    assert runtime.count_tokens(modelId=CLAUDE, input={"converse": {"messages": MESSAGES}})["inputTokens"] > 30


@check("reranks by the agent runtime")
def _():
    answered = agent.rerank(
        queries=[{"type": "TEXT", "textQuery": {"text": QUESTION}}],
        sources=[
            {"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": text}}}
            for text in ["printers", ANSWER]
        ],
        rerankingConfiguration={
            "type": "BEDROCK_RERANKING_MODEL",
            "bedrockRerankingConfiguration": {
                "modelConfiguration": {"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/amazon.rerank-v1:0"}
            },
        },
    )
    assert [each["index"] for each in answered["results"]] == [1, 0]


def asking_documents(session=None, text=QUESTION, **generation):
    return {
        "input": {"text": text},
        "retrieveAndGenerateConfiguration": {
            "type": "KNOWLEDGE_BASE",
            "knowledgeBaseConfiguration": {
                "knowledgeBaseId": KNOWLEDGE_BASE,
                "modelArn": f"arn:aws:bedrock:us-east-1::foundation-model/{CLAUDE}",
                "generationConfiguration": generation,
            },
        },
        **({"sessionId": session} if session else {}),
    }


@check("retrieves")
def _():
    search = {"numberOfResults": 3, "overrideSearchType": "HYBRID"}
    answered = agent.retrieve(
        knowledgeBaseId=KNOWLEDGE_BASE,
        retrievalQuery={"text": QUESTION},
        retrievalConfiguration={"vectorSearchConfiguration": search},
    )
    best = answered["retrievalResults"][0]
    assert ANSWER in best["content"]["text"], best
    assert best["location"]["customDocumentLocation"]["id"] == "leave.md", best
    assert best["score"] > 0 and best["metadata"]["x-amz-bedrock-kb-source-uri"] == "leave.md", best


@check("retrieves and generates, and goes on with the session")
def _():
    whole = agent.retrieve_and_generate(**asking_documents())
    text = whole["output"]["text"]
    assert ANSWER in text, whole
    part = whole["citations"][0]["generatedResponsePart"]["textResponsePart"]
    assert text[part["span"]["start"] : part["span"]["end"] + 1] == part["text"], part
    assert ANSWER in whole["citations"][0]["retrievedReferences"][0]["content"]["text"], whole
    again = agent.retrieve_and_generate(**asking_documents(whole["sessionId"], "When is it announced?"))
    assert "one month before" in again["output"]["text"], again
    assert again["sessionId"] == whole["sessionId"]


@check("retrieves and generates in a stream")
def _():
    answered = agent.retrieve_and_generate_stream(**asking_documents())
    assert answered["sessionId"]
    events = list(answered["stream"])
    assert ANSWER in "".join(event["output"]["text"] for event in events if "output" in event), events
    cited = [event["citation"] for event in events if "citation" in event]
    assert ANSWER in cited[0]["retrievedReferences"][0]["content"]["text"], events


@check("says how to generate")
def _():
    settings = {"temperature": 0.2, "topP": 0.9, "maxTokens": 300, "stopSequences": ["weeks"]}
    template = "$search_results$ $output_format_instructions$ $query$"
    whole = agent.retrieve_and_generate(
        **asking_documents(
            inferenceConfig={"textInferenceConfig": settings}, promptTemplate={"textPromptTemplate": template}
        )
    )
    assert whole["output"]["text"] == "Parental leave in Japan is 52", whole
    without = asking_documents(promptTemplate={"textPromptTemplate": "Answer: $query$"})
    message = refused("ValidationException", 400, lambda: agent.retrieve_and_generate(**without))
    assert "$search_results$" in message, message


@check("is told of a knowledge base that is not there")
def _():
    query = {"text": QUESTION}
    refused(
        "ResourceNotFoundException", 404, lambda: agent.retrieve(knowledgeBaseId="NOTTHERE00", retrievalQuery=query)
    )


@check("takes ARNs")
def _():
    arn = f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{CLAUDE}"
    assert runtime.converse(modelId=arn, messages=MESSAGES)["stopReason"] == "end_turn"


@check("is refused by name")
def _():
    message = refused("ValidationException", 400, lambda: invoke("amazon.titan-embed-text-v2:0", {}))
    assert "required key [inputText] not found" in message, message
    refused("ValidationException", 400, lambda: invoke("nobody.knows", {}))


def until(documents, status):
    for _attempt in range(600):
        details = control.get_knowledge_base_documents(documentIdentifiers=documents, **SOURCE)["documentDetails"]
        if all(each["status"] == status for each in details):
            return
        assert all(each["status"] in ("STARTING", "IN_PROGRESS", "DELETING", "DELETE_IN_PROGRESS", status) for each in details), details
        time.sleep(0.05)
    raise AssertionError(f"not {status}: {details}")


@check("manages a data source and its documents")
def _():
    (summary,) = control.list_knowledge_bases()["knowledgeBaseSummaries"]
    assert summary["knowledgeBaseId"] == KNOWLEDGE_BASE, summary
    found = control.get_knowledge_base(knowledgeBaseId=KNOWLEDGE_BASE)["knowledgeBase"]
    assert found["status"] == "ACTIVE" and found["createdAt"].tzinfo, found
    made = control.create_data_source(
        knowledgeBaseId=KNOWLEDGE_BASE, name="notes", dataSourceConfiguration={"type": "CUSTOM"}
    )["dataSource"]
    SOURCE.update(knowledgeBaseId=KNOWLEDGE_BASE, dataSourceId=made["dataSourceId"])
    custom = {
        "customDocumentIdentifier": {"id": "notes/badge"},
        "sourceType": "IN_LINE",
        "inlineContent": {"type": "TEXT", "textContent": {"data": "Badges are green on Tuesdays."}},
    }
    document = {"content": {"dataSourceType": "CUSTOM", "custom": custom}}
    details = control.ingest_knowledge_base_documents(documents=[document], **SOURCE)["documentDetails"]
    assert details[0]["status"] == "STARTING", details
    badge = [{"dataSourceType": "CUSTOM", "custom": {"id": "notes/badge"}}]
    until(badge, "INDEXED")
    results = agent.retrieve(knowledgeBaseId=KNOWLEDGE_BASE, retrievalQuery={"text": "green badges"})["retrievalResults"]
    assert results[0]["location"]["customDocumentLocation"]["id"] == "notes/badge", results[0]
    control.delete_knowledge_base_documents(documentIdentifiers=badge, **SOURCE)
    until(badge, "NOT_FOUND")
    refused("ValidationException", 400, lambda: control.start_ingestion_job(**SOURCE))
    assert control.list_ingestion_jobs(**SOURCE)["ingestionJobSummaries"] == []
    assert control.delete_data_source(**SOURCE)["status"] == "DELETING"


@check("is refused what there is not room for")
def _():
    role = "arn:aws:iam::123456789012:role/handbook"
    vector = {"embeddingModelArn": "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0"}
    configuration = {"type": "VECTOR", "vectorKnowledgeBaseConfiguration": vector}
    make = {"name": "another", "roleArn": role, "knowledgeBaseConfiguration": configuration}
    refused("ServiceQuotaExceededException", 402, lambda: control.create_knowledge_base(**make))


def asking(faults):
    client = boto3.client("bedrock-runtime", config=Config(retries={"total_max_attempts": 1}))
    client.meta.events.register("before-send", lambda request, **_: request.headers.update({"x-aquifer-fault": faults}))
    return client


@check("meets trouble on purpose")
def _():
    for name, status in [("ThrottlingException", 429), ("ServiceUnavailableException", 503), ("ModelErrorException", 424)]:
        client = asking(f"error={name}")
        refused(name, status, lambda: client.converse(modelId=CLAUDE, messages=MESSAGES))


@check("meets an exception in the middle of a stream")
def _():
    events = asking("exception=ThrottlingException:2").converse_stream(modelId=CLAUDE, messages=MESSAGES)["stream"]
    count = 0
    try:
        for _event in events:
            count += 1
    except EventStreamError as error:
        assert "throttlingException" in str(error), error
        assert count == 2, count
        return
    raise AssertionError("the stream ended as if it were whole")


@check("is refused a body of 26 MB")
def _():
    body = " " * 26_000_000
    message = refused("ValidationException", 400, lambda: runtime.invoke_model(modelId=CLAUDE, body=body))
    assert "25000000" in message, message


if os.environ["AQUIFER_TEST_MODE"] == "keys":

    @check("is refused with a wrong secret and an unknown key")
    def _():
        for key, secret, name in [
            (os.environ["AWS_ACCESS_KEY_ID"], "wrong", "InvalidSignatureException"),
            ("AKIAUNKNOWN", "x", "UnrecognizedClientException"),
        ]:
            client = boto3.client("bedrock-runtime", aws_access_key_id=key, aws_secret_access_key=secret)
            refused(name, 403, lambda: client.converse(modelId=CLAUDE, messages=MESSAGES))


failed = 0
for name, run in checks:
    try:
        run()
        print(f"  ok {name}")
    except Exception:
        failed += 1
        print(f"  FAILED {name}")
        traceback.print_exc(file=sys.stdout)
print(f"{len(checks) - failed} passed, {failed} failed")
