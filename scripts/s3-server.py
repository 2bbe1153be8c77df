"""A server that speaks S3's API, moto's, with one bucket that is full already: python s3-server.py PORT

The bucket "ten-thousand" has the objects 0/0.md to 99/9999.md, each of which holds its key. To put them one by one over HTTP takes minutes.
"""

import sys

from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import main

s3 = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
s3.create_bucket("ten-thousand", "us-east-1")
for number in range(10_000):
    key = f"{number % 100}/{number}.md"
    s3.put_object("ten-thousand", key, key.encode())
main(["-H", "127.0.0.1", "-p", sys.argv[1]])
