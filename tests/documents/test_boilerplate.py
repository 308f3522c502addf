import time

from textclass.documents.boilerplate import boilerplate, boilerplate_spans

BOILERPLATE = """\
We use cookies to give you the best experience on our website.
This site uses cookies from Google to deliver its services and to analyse traffic.
Accept all cookies
Manage your privacy choices | Do not sell my personal information
By continuing to browse this site you agree to our use of cookies and similar technologies.
© 2024 The Harbour Gazette. All rights reserved.
Copyright 2021 Northern Policy Forum
Sign up for our newsletter and never miss a story.
Subscribe now for unlimited access to our reporting.
Enter your email address to receive the morning briefing.
You can unsubscribe at any time.
Already a subscriber? Log in
Follow us on Twitter, Facebook and Instagram.
Share this article
Share on Facebook | Share on X | Email | Print
Advertisement
Sponsored content
Advertisement - story continues below
You may also like
Related articles
Read more: Five things to know about the summit
Most popular
More from this author
Recommended for you
Editor's picks
Skip to main content
Home > World > Europe
Home | About us | Contact | Donate | Search
News Opinion Sport Culture Lifestyle More
Back to top
Log in / Register
Advertiser disclosure: the offers that appear on this site are from firms that pay us.
Our editorial team is committed to transparency; nobody can pay us for a good review.
We may earn a commission if you buy something through links on our site, at no extra cost to you.
Some of the links below are affiliate links, which help us keep the lights on.
This compensation may impact how and where products appear here, but not our editorial integrity.
The opinions expressed here are the author's alone, not those of any bank, airline or hotel chain.
Please turn off your ad blocker to keep reading.
Ads help us keep this website free.
Report this ad
Add to cart
Shop now and get 20% off your first order with the code SPRING.
Free shipping on all orders over $50!
Limited-time offer: three months for the price of one.
Leave a comment
Your email address will not be published. Required fields are marked *
12 comments
Photo: Getty Images
Image credit: the ministry's press office
4 min read
Filed under: Diplomacy, Africa
Tags: peace talks, ceasefire, mediation
Last updated: 3 March 2023
Published on 12 May 2022 by Ana Torres
Download our free app for iOS and Android.
Support our journalism with a gift of any size; your donation keeps this news free for everyone.
Click here to see the full list of locations.
Terms of Use | Privacy Policy | Accessibility | Advertise with us
Get our daily headlines straight to your inbox.
Next article Previous article
Create a free account to save articles and follow authors.
Please enable JavaScript to view the comments.
""".splitlines()

PROSE = """\
The ministry says that advertisers must disclose sponsored content under the new convention.
Under our sponsorship forty nurses from both sides work and train together in one hospital.
Regulators from nine states met to agree on how websites may use cookies and ask for consent.
The commission found that affiliate links had been hidden from readers, and it fined the publisher.
Sponsored by Norway and Ghana, the resolution passed with ninety votes in favour.
Advertising ethics were the subject of the third session, on honesty towards children.
The privacy of refugees is protected by the agreement, which forbids the sale of their data.
She told the council that transparency about money was the first condition of trust.
Donate blood, save lives: the campaign of the Red Crescent reached forty towns.
The two presidents shared a stage for the first time since the war.
Read aloud in four languages, the declaration opened the ceremony.
Follow-up talks will be held in Geneva in June, the mediator said.
Home to two million displaced people, the province has seen no convoy since March.
Contact between the two governments was broken off in 1998 and resumed last year.
More than three hundred students took part in the exchange.
More from the ground was heard on Tuesday, when the observers returned from the valley.
Related communities on both sides of the border speak the same language.
The embassy published a list of the names on Friday.
Updated maps show where the mines are, and the army has promised to clear them.
Most of the aid came by sea.
Tags hung from the wrists of the prisoners as they crossed the bridge.
The head of the delegation thanked the hosts and asked for patience.
Peace talks resume
The truce
A corridor for grain
Background
Annex II: Obligations of the parties
Article 5. The parties shall protect hospitals and those who work in them.
1. Each party shall keep a register of the prisoners that it holds.
Country | Pledged | Paid
Ghana | 12 | 7
Geneva, 4 May 2021 – The parties met for the second time.
"We may be paid less than others, but we stay," said the nurse.
We receive fewer visitors than we did before the border was closed.
Our partners in the region have taken in forty thousand people, and they need help.
Our team in the valley has set up three clinics.
We call on all states to ratify the treaty and to report on it each year.
You cannot build peace with those whom you do not meet, he said.
The newspaper's editors printed an apology and paid for the repair of the temple.
The foundation gives a tenth of its income to schools for girls.
Readers wrote in by the hundred to offer rooms to families from the flooded towns.
The bank's code of conduct asks clerks to tell customers which products earn them a fee.
Compensation for the victims will be paid from a common fund.
The offers that each side made were read out by the chair.
The film shows how a village on the border lives with two currencies.
Photography was forbidden in the hall where the accord was signed.
Comments by the foreign minister led to a protest by three neighbours.
The comments period ends in May, after which the draft goes to parliament.
Search teams from six countries arrived within a day.
The newsletter of the friendship society has linked the two cities for sixty years.
Members of the choir signed up for a tour of seven towns.
Customers who bought the coffee learned the names of the growers.
Trade between the two rose by a fifth after the tariff was cut.
A browser made in Nairobi brings the news in nine languages to old telephones.
Football, food and music: how the two peoples met again
The minister was asked whether the discount on gas was a reward for the vote.
Cookies baked by the pupils were sold for the earthquake fund.
The law on consent was passed after a long debate.
All rights listed in the covenant bind the state, also in an emergency.
Copyright law was the last open question in the trade talks.
Shared rivers need shared rules, the commission wrote.
Next to the school stands the clinic which both councils pay for.
Print workers in both capitals laid down their tools.
""".splitlines()


def test_half_of_what_pages_say_is_told_from_prose_almost_always():
    assert min(len(BOILERPLATE), len(PROSE)) >= 60
    found = sum(map(boilerplate, BOILERPLATE))
    wrong = [paragraph for paragraph in PROSE if boilerplate(paragraph)]
    missed = [paragraph for paragraph in BOILERPLATE if not boilerplate(paragraph)]
    assert found / (found + len(wrong)) >= 0.98, wrong
    assert found / len(BOILERPLATE) >= 0.9, missed


def test_the_titles_under_a_heading_for_links_go_with_it():
    page = [
        "The minister met the families.",
        "You may also like",
        "Ten beaches for the autumn",
        "How to choose a card",
        "The talks went on into the night.",
        "Peace at last",
    ]
    text = "\n\n".join(page)
    ((start, end),) = boilerplate_spans(text)
    assert text[start:end].split("\n\n") == page[1:4]


def test_a_page_word_above_prose_is_a_heading_but_not_at_the_end_of_a_list():
    assert boilerplate_spans("Weather\n\nRain came.\n\nSport\n\nThe match was lost.") == ()
    assert boilerplate_spans("Home\n\nNews\n\nSport\n\nThe match was lost.") == ((0, 17),)


def test_spans_join_what_stands_together():
    page = ["Advertisement", "Share this article", "The truce held.", "Report this ad"]
    text = "\n\n".join(page)
    assert [text[a:b].split("\n\n") for a, b in boilerplate_spans(text)] == [page[:2], page[3:]]


def test_long_paragraphs_cost_nothing():
    begun = time.process_time()
    for text in ("we " * 250_000, "a" * 800_000, "|" * 800_000, "\n\nwe earn" * 12_000):
        boilerplate_spans(text)
    assert time.process_time() - begun < 2
