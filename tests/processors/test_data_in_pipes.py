"""The processors of tabular data together, in pipes written in Turtle, and what is wrong with their settings."""

import re

import pytest

import transmissions
from transmissions import ConfigError, UsageError

PREFIX = "@prefix : <http://purl.org/stuff/transmissions/> .\n"


@pytest.fixture
def app(tmp_path):
    """Run a pipe, given as Turtle, beside some files."""

    def call(turtle, **files):
        folder = tmp_path / "app"
        (folder / "data").mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / "data" / name.replace("_", ".")).write_text(text)
        (folder / "transmissions.ttl").write_text(PREFIX + turtle)
        return transmissions.run(str(folder), message={}, output=tmp_path / "out").messages

    return call


def test_a_table_is_read_worked_on_and_written(app, tmp_path):
    """Rows are looked up, put together by key, put in order, and written; broken ones are dead letters."""
    messages = app(
        """
        :main a :EntryTransmission ; :pipe ( :rows :once :name :sums :order :out ) .
        :rows a :CSVReader ; :sourceFile "sales.csv" ; :types "infer" .
        :once a :Dedupe ; :key "id" .
        :name a :Lookup ; :sourceFile "shops.json" ; :key "shop" ; :column "code" ; :targetField "at" .
        :sums a :Aggregate ; :groupBy "at.name" ; :compute ( [ :name "total" ; :function "sum" ; :field "amount" ] ) .
        :order a :Sort ; :by ( [ :path "total" ; :compare "number" ; :descending true ] ) .
        :out a :CSVWriter ; :destinationFile "sums.csv" ; :columns ( "at.name" "total" ) .
        """,
        sales_csv="id,shop,amount\n1,a,5\n2,b,7.5\n2,b,7.5\n3,a,1\n4\n",
        shops_json='{"a": {"name": "Ash"}, "b": {"name": "Birch"}}',
    )
    assert messages == ({"at": {"name": "Birch"}, "total": 7.5}, {"at": {"name": "Ash"}, "total": 6})
    assert (tmp_path / "out/sums.csv").read_bytes() == b"at.name,total\r\nBirch,7.5\r\nAsh,6\r\n"


def test_branches_are_joined_by_key(app):
    """Each marks what it reads, and the marks tell the sides apart."""
    messages = app(
        """
        :main a :EntryTransmission ; :pipe ( [ a :FanOut ; :branches ( ( :orders :isOrder ) ( :people :isPerson ) ) ] :both ) .
        :orders a :CSVReader ; :sourceFile "orders.csv" .
        :isOrder a :SetField ; :field "kind" ; :value "order" .
        :people a :XMLReader ; :sourceFile "people.xml" ; :element "person" .
        :isPerson a :SetField ; :field "kind" ; :value "person" .
        :both a :Join ; :sideField "kind" ; :left "order" ; :right "person" ; :key "who" ; :rightKey "@id" ; :kind "left" .
        """,
        orders_csv="who,what\n1,tea\n2,ink\n",
        people_xml='<people><person id="1"><name>Ada</name></person></people>',
    )
    assert [(one["what"], one["match"] and one["match"]["name"]) for one in messages] == [("tea", "Ada"), ("ink", None)]


def test_a_database_is_filled_and_asked(app, monkeypatch, tmp_path):
    """The reader takes its URL from the environment, and values from the message."""
    monkeypatch.setenv("SHOP_URL", f"sqlite:///{tmp_path}/out/shop.db")
    app(
        """
        :main a :EntryTransmission ; :pipe ( :rows :store ) .
        :rows a :YAMLReader ; :sourceFile "rows.yaml" .
        :store a :DatabaseWriter ; :url "sqlite:///shop.db" ; :table "item" ; :create true ; :mode "upsert" ; :key "id" ;
            :columns ( [ :name "id" ] [ :name "city" ; :field "at.city" ] ) .
        """,
        rows_yaml="id: 1\nat: {city: Rome}\n---\nid: 2\nat: {city: Oslo}\n",
    )
    messages = app(
        """
        :main a :EntryTransmission ; :pipe ( :ask :items ) .
        :ask a :SetField ; :field "q" ; :value "Oslo" .
        :items a :DatabaseReader ; :secretUrl [ :env "SHOP_URL" ] ; :query "SELECT * FROM item WHERE city = :city" ;
            :parameters ( [ :name "city" ; :field "q" ] ) .
        """
    )
    assert messages == ({"id": 2, "city": "Oslo"},)


def test_objects_are_copied_from_store_to_store(app, monkeypatch, tmp_path):
    """Options of a store are text, numbers, truth values, or secrets from the environment."""
    monkeypatch.setenv("STORE_KEY", "topsecret")
    turtle = """
        :main a :EntryTransmission ; :pipe ( :in :pack :out ) .
        :in a :ObjectReader ; :url "*.txt" ; :read "bytes" ;
            :options ( [ :name "key" ; :secret [ :env "STORE_KEY" ] ] [ :name "use_listings_cache" ; :value false ] ) .
        :pack a :Compress ; :codec "zstd" .
        :out a :ObjectWriter ; :url "packed" .
        """
    (message,) = app(turtle, a_txt="x" * 1000)
    assert message["objectUrl"] == str(tmp_path / "out/packed/a.txt")
    assert (tmp_path / "out/packed/a.txt").stat().st_size < 50


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        (':CSVReader ; :delimitre ";"', "no setting delimitre"),
        (':CSVReader ; :ragged "drop"', "reject"),
        (':CSVReader ; :delimiter ";;"', "delimiter must be a single character"),
        (":CSVWriter ; :guardFormulas 5", "guardFormulas"),
        (":XMLReader", "element"),
        (':XMLReader ; :element "a//b"', "is no path of elements"),
        (':XMLWriter ; :root "a b"', "is no name of an XML element"),
        (":YAMLReader ; :maxValues 0", "maxValues"),
        (':YAMLWriter ; :file "x"', "file"),
        (':Compress ; :codec "lz4"', "zstd"),
        (":Compress ; :level 40", "level 40 is none of gzip"),
        (":Decompress ; :maxBytes 0", "maxBytes"),
        (':Hash ; :algorithm "crc"', "sha256"),
        (':Dedupe ; :stateFile "x" ; :window 3', "not by :window"),
        (":Sample ; :rate 2", "rate"),
        (":Sort", "by"),
        (':Sort ; :by ( [ :compare "number" ] )', "path"),
        (':Aggregate ; :compute ( [ :name "x" ; :function "sum" ] )', "needs the :field"),
        (':Join ; :sideField "s" ; :left "a" ; :right "b"', "key"),
        (':Lookup ; :sourceFile "x.csv" ; :key "a" ; :missing "skip"', "keep"),
        (':DatabaseReader ; :query "SELECT 1"', "either :url or :secretUrl"),
        (':DatabaseReader ; :query "SELECT 1" ; :secretUrl "plain"', "secretUrl"),
        (':DatabaseWriter ; :url "sqlite:///x" ; :table "t" ; :mode "upsert"', "needs :key"),
        (':ObjectReader ; :url "https://e/x"', "HttpClient"),
        (':ObjectWriter ; :url "zip://x"', "wraps one filesystem"),
    ],
)
def test_bad_settings_are_located_before_anything_runs(app, settings, fault):
    """Each names the file and line of the node or the setting, and what is allowed."""
    with pytest.raises((ConfigError, UsageError)) as caught:
        app(f":main a :EntryTransmission ; :pipe ( :it ) .\n:it a {settings} .")
    assert fault in str(caught.value)
    assert re.search(r"transmissions\.ttl:[23]:\d", str(caught.value))
