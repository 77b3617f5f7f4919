/* Decimal numbers as whole numbers and back, without rounding. */
#include "internal.h"

/* Of a number within 64 bits. */
#define SHORT_DIGITS 18

wide number_power(unsigned n)
{
	wide p = 1;

	while (n--)
		p *= 10;
	return p;
}

wide number_divide(wide a, wide b)
{
	wide q = a / b, r = a % b;

	if ((r < 0 ? -r : r) >= b - (r < 0 ? -r : r))
		q += a < 0 ? -1 : 1;
	return q;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The digits of s, of which at most one is a point, as a whole number. The first 18 need no more than 64 bits. */
static bool whole_number(struct slice s, wide *out, unsigned *scale_out)
{
	unsigned scale = 0, digits = 0;
	bool point = false;
	uint64_t low = 0;
	size_t i = 0;

	for (; i < s.len && digits < SHORT_DIGITS; i++) {
		if (s.ptr[i] == '.') {
			point = true;
			continue;
		}
		if (!is_digit(s.ptr[i]))
			return false;
		low = low * 10 + (uint64_t)(s.ptr[i] - '0');
		digits += low != 0;
		scale += point;
	}
	*out = low;
	for (; i < s.len; i++) {
		if (s.ptr[i] == '.') {
			point = true;
			continue;
		}
		if (!is_digit(s.ptr[i]) || ++digits > MAX_DIGITS)
			return false;
		*out = *out * 10 + (s.ptr[i] - '0');
		scale += point;
	}
	*scale_out = scale;
	return scale <= MAX_DIGITS;
}

bool number_parse(struct slice s, bool trimmed, wide *out, unsigned *scale_out)
{
	bool negative = s.len && s.ptr[0] == '-';

	if (negative)
		s = slice_from(s, 1);
	if (trimmed && s.len && s.ptr[s.len - 1] == '0' && memchr(s.ptr, '.', s.len))
		while (s.ptr[s.len - 1] == '0')
			s.len--;
	if (!whole_number(s, out, scale_out))
		return false;
	if (negative)
		*out = -*out;
	return true;
}

void number_add(struct strbuf *b, wide v, unsigned scale, bool trimmed)
{
	char digits[48];
	size_t n = 0;

	for (; trimmed && scale && v % 10 == 0; scale--)
		v /= 10;
	if (v < 0)
		strbuf_addc(b, '-');
	do {
		int digit = (int)(v % 10);

		digits[n++] = (char)('0' + (digit < 0 ? -digit : digit));
		v /= 10;
	} while (v || n <= scale);
	while (n--) {
		strbuf_addc(b, digits[n]);
		if (n && n == scale)
			strbuf_addc(b, '.');
	}
}

struct parts {
	bool negative;
	struct slice whole, fraction; /* without the zeros in front and at the end */
};

static struct parts parts_of(struct slice s)
{
	struct parts p = { .negative = s.len && s.ptr[0] == '-' };
	struct slice rest = p.negative ? slice_from(s, 1) : s;

	slice_split(&rest, '.', &p.whole);
	p.fraction = rest.ptr ? rest : (struct slice){ "", 0 };
	while (p.whole.len && p.whole.ptr[0] == '0')
		p.whole = slice_from(p.whole, 1);
	while (p.fraction.len && p.fraction.ptr[p.fraction.len - 1] == '0')
		p.fraction.len--;
	p.negative &= p.whole.len || p.fraction.len;
	return p;
}

/* One more in the last of the digits, the point passed over. True when that made it a digit longer. */
static bool count_up(char *digits, size_t n)
{
	while (n--) {
		if (digits[n] == '.')
			continue;
		if (digits[n]++ != '9')
			return false;
		digits[n] = '0';
	}
	return true;
}

void number_round(struct strbuf *b, struct slice text, unsigned decimals)
{
	struct parts p = parts_of(text);
	size_t start = b->len, first;
	bool up = p.fraction.len > decimals && p.fraction.ptr[decimals] >= '5';

	/* Room for a sign and a digit, which may turn out to be none. */
	strbuf_lit(b, "-0");
	first = b->len;
	if (p.whole.len)
		strbuf_add_slice(b, p.whole);
	else
		strbuf_addc(b, '0');
	if (decimals)
		strbuf_addc(b, '.');
	for (unsigned i = 0; i < decimals; i++)
		strbuf_addc(b, i < p.fraction.len ? p.fraction.ptr[i] : '0');
	if (up && count_up(b->ptr + first, b->len - first))
		b->ptr[--first] = '1';
	for (size_t i = first; p.negative && i < b->len; i++)
		if (b->ptr[i] >= '1') {
			b->ptr[--first] = '-';
			break;
		}
	memmove(b->ptr + start, b->ptr + first, b->len - first);
	b->len -= first - start;
}

static int compare_digits(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.ptr, b.ptr, n) : 0;

	return c ? c : (a.len > b.len) - (a.len < b.len);
}

int number_compare(struct slice a, struct slice b)
{
	struct parts x = parts_of(a), y = parts_of(b);
	int c;

	if (x.negative != y.negative)
		return x.negative ? -1 : 1;
	c = (x.whole.len > y.whole.len) - (x.whole.len < y.whole.len);
	if (!c)
		c = compare_digits(x.whole, y.whole);
	if (!c)
		c = compare_digits(x.fraction, y.fraction);
	c = (c > 0) - (c < 0);
	return x.negative ? -c : c;
}

int64_t number_of_double(double d)
{
	int64_t bits;

	d += 0.0; /* -0 is 0 */
	memcpy(&bits, &d, sizeof(bits));
	return bits < 0 ? bits ^ INT64_MAX : bits;
}

double number_to_double(int64_t n)
{
	int64_t bits = n < 0 ? n ^ INT64_MAX : n;
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}
