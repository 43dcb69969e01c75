# The page holds all it needs, each name in it once, and texts of users escaped.
printf '<b>,"R&D ""x""",wind,k\n1,<i>,350,7\n2,y,10,7\n2.5,<i>,355,7\n4,y,5,7\n' >markup.csv
scorefield compare markup.csv markup.csv --domain 'wind=circle:360' -o page.html --quiet
python3 -c '
import html.parser, re
text = open("page.html").read()
void = {"meta", "br", "img"}
class Reader(html.parser.HTMLParser):
    open, ids, links, tags, data = [], [], set(), {}, []
    def handle_starttag(self, tag, attributes):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        if tag not in void:
            self.open.append(tag)
        for key, value in attributes:
            if key == "id":
                self.ids.append(value)
            elif key.endswith("href") or key == "src":
                self.links.add(value)
            elif value and "url(" in value:
                self.links.update(re.findall(r"url\((.*?)\)", value))
    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in void:
            self.open.pop()
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag
    def handle_data(self, data):
        self.data.append(data)
r = Reader()
r.feed(text)
r.close()
print("nested", r.open == [], "names once", len(r.ids) == len(set(r.ids)))
print("links within", all(l[0] == "#" and l[1:] in r.ids for l in r.links))
print("sentences", r.tags["li"], "scripts", "script" in r.tags, "maps and pictures", r.tags["svg"])
print("<b>" in r.data, "R&D \"x\"" in "".join(r.data), "b" in r.tags, "i" in r.tags)
print(set(re.findall(r"https?://[^\"]*", text)) - {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"})'
try compare markup.csv markup.csv -o page.txt
try compare markup.csv markup.csv -o no/page.html
