"""The words of a statement on paper, by language. Fields stand in braces; figures stay those of the signed file."""

from collections.abc import Mapping
from dataclasses import dataclass

from fairframe.core.time import from_rfc3339, to_rfc3339

LANGUAGES = ("en", "ar")


@dataclass(frozen=True)
class Words:
    """right: written from right to left. text: by key. purposes, units, kinds, states: what a body says, in words."""

    language: str
    right: bool
    months: tuple[str, ...]
    text: Mapping[str, str]
    purposes: Mapping[str, str]
    units: Mapping[str, str]
    kinds: Mapping[str, str]
    states: Mapping[str, str]

    def __getitem__(self, key: str) -> str:
        return self.text[key]

    def date(self, time: str, less_ms: int = 0) -> str:
        """The day of an RFC 3339 time, in UTC; less_ms: 1 for the last day of a period that ends at it."""
        day = to_rfc3339(from_rfc3339(time) - less_ms)
        return f"{int(day[8:10])} {self.months[int(day[5:7]) - 1]} {day[:4]}"


ENGLISH = Words(
    "en",
    False,
    (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ),
    {
        "title": "Royalty statement",
        "for": "for",
        "period": "{from} to {to}",
        "up_to": "up to {to}",
        "hero": "Your clips earned",
        "no_hero": "No new earnings in this period",
        "opening": "From before",
        "earned": "Earned",
        "adjusted": "Adjusted",
        "withheld": "Tax withheld",
        "paid": "Paid out",
        "closing": "On your account",
        "made_of": "On your account: {payable} ready to be paid, {accrued} not yet released, {carry} carried over.",
        "made_of_less": "On your account: {payable} ready to be paid, {accrued} to be set off against what comes next,"
        " {carry} carried over.",
        "by_deal": "By deal",
        "by_clip": "By clip",
        "more": "{count} more",
        "where": "Where it came from",
        "unnamed": "A licensee whom the agreement leaves unnamed",
        "model": "Model {name}",
        "license": "{purpose} license",
        "came": "{gross} came in on {date}.",
        "came_tax": "{gross} came in on {date}; {net} after tax.",
        "refund": "{gross} went back on {date}, and with it what it had brought.",
        "pool": "The contributors’ share is {share}: a pool of {pool} for {count} contributors.",
        "part": "Your part is {weight} of {total} {unit}, or {percent}.",
        "exactly": "Exactly: {formula}, rounded down, is {floor}.",
        "extra_own": "Rounding left {units}; one of them came to you.",
        "extra_none": "Rounding left {units}, which went to larger remainders.",
        "even": "Rounding left nothing.",
        "clip": "Clip",
        "weightless": "{count} more, which had no part in it",
        "payouts": "Payouts",
        "adjustments": "Adjustments",
        "date": "Date",
        "reference": "Reference",
        "state": "State",
        "what": "What",
        "check": "Check it yourself",
        "check_1": "The signed file holds every number that these amounts were made from. A proof shows"
        " that your weight is counted in the total, without the others’ names; that every other weight in it is real,"
        " and that this is all the revenue there was, it cannot show. This command recomputes what can be, offline:",
        "check_2": "Small gray digits are fractions of the smallest unit of money. They are kept exactly; payouts are"
        " whole units.",
        "file": "Statement {id}, issued {date} by {library}. SHA-256 of the signed file:",
        "lacking": "The fonts of this paper lack letters of some names on it; the signed file has them in full.",
        "page": "Page {page} of {pages}",
    },
    {"research": "Research", "commercial": "Commercial", "evaluation": "Evaluation", "generation": "Generation"},
    {"lineage": "trillionths of the model"},
    {"adjustment": "Adjustment", "correction": "Correction", "goodwill": "Goodwill", "reversal": "Reversal"},
    {"reserved": "in a batch", "submitted": "sent", "settled": "paid", "returned": "returned", "canceled": "canceled"},
)  # fmt: skip

ARABIC = Words(
    "ar",
    True,
    (
        "يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو", "يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر",
    ),
    {
        "title": "كشف العوائد",
        "for": "إلى",
        "period": "من {from} إلى {to}",
        "up_to": "حتى {to}",
        "hero": "ما كسبته مقاطعك",
        "no_hero": "لا عوائد جديدة في هذه الفترة",
        "opening": "رصيد سابق",
        "earned": "العوائد",
        "adjusted": "التسويات",
        "withheld": "ضريبة مقتطعة",
        "paid": "المدفوع",
        "closing": "في حسابك",
        "made_of": "في حسابك — جاهز للدفع: {payable}؛ لم يحن صرفه بعد: {accrued}؛ مرحَّل: {carry}.",
        "made_of_less": "في حسابك — جاهز للدفع: {payable}؛ يُخصم مما يأتي: {accrued}؛ مرحَّل: {carry}.",
        "by_deal": "حسب الاتفاق",
        "by_clip": "حسب المقطع",
        "more": "{count} غيرها",
        "where": "من أين جاءت",
        "unnamed": "مرخَّص له لا يسمح الاتفاق بتسميته",
        "model": "النموذج {name}",
        "license": "رخصة: {purpose}",
        "came": "ورد مبلغ {gross} في {date}.",
        "came_tax": "ورد مبلغ {gross} في {date}، وصافيه بعد الضريبة {net}.",
        "refund": "رُدَّ مبلغ {gross} في {date}، ورُدَّ معه ما نتج عنه.",
        "pool": "حصة المساهمين {share}، وهي {pool}، وعدد المساهمين {count}.",
        "part": "نصيبك {weight} من {total} ({unit})، أي {percent}.",
        "exactly": "بالضبط: {formula}، مقرَّبًا إلى الأدنى، يساوي {floor}.",
        "extra_own": "بقي من التقريب {units}، ونالك واحد منها.",
        "extra_none": "بقي من التقريب {units}، وذهب إلى البواقي الأكبر.",
        "even": "لم يبق من التقريب شيء.",
        "clip": "المقطع",
        "weightless": "{count} غيرها لا نصيب لها فيه",
        "payouts": "المدفوعات",
        "adjustments": "التسويات",
        "date": "التاريخ",
        "reference": "المرجع",
        "state": "الحالة",
        "what": "البيان",
        "check": "تحقق بنفسك",
        "check_1": "في الملف الموقَّع كل رقم حُسبت منه هذه المبالغ. وفيه برهان على أن وزنك محسوب في المجموع دون"
        " ذكر أسماء غيرك، لكنه لا يثبت أن كل وزن آخر فيه حقيقي، ولا أن هذا كل ما ورد. وهذا الأمر يعيد حساب ما يمكن"
        " حسابه دون اتصال بالشبكة:",
        "check_2": "الأرقام الرمادية الصغيرة كسور من أصغر وحدة نقدية، وهي محفوظة بالضبط، أما الدفع فبوحدات كاملة.",
        "file": "الكشف {id}، صدر في {date} عن {library}. بصمة SHA-256 للملف الموقَّع:",
        "lacking": "تنقص خطوط هذه الورقة حروف من بعض الأسماء، وهي كاملة في الملف الموقَّع.",
        "page": "صفحة {page} من {pages}",
    },
    {"research": "بحث", "commercial": "استعمال تجاري", "evaluation": "تقييم", "generation": "توليد"},
    {
        "delivered_ms": "ميلي ثانية سُلِّمت",
        "usage": "إطار استُعمل في التدريب",
        "clips": "مقطع سُلِّم",
        "scores": "نقطة",
        "lineage": "جزء من تريليون من النموذج",
    },
    {"adjustment": "تسوية", "correction": "تصحيح", "goodwill": "بادرة حسنة", "reversal": "عكس قيد"},
    {"reserved": "في دفعة", "submitted": "مُرسَل", "settled": "مدفوع", "returned": "مُعاد", "canceled": "مُلغى"},
)  # fmt: skip

WORDS = {"en": ENGLISH, "ar": ARABIC}
