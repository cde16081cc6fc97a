using System.Globalization;
using Holdfast.Log;

namespace Holdfast.Storage.Remote;

/// <summary>
/// The address of a store on another machine, taken apart: <c>kind://user@host:port/path?name=value&amp;…</c>. Path and values may hold
/// percent escapes (RFC 3986 §2.1).
/// </summary>
internal sealed class StoreUrl
{
    private readonly Dictionary<string, string> values = new(StringComparer.Ordinal);
    private readonly string text;
    private readonly string form;

    private StoreUrl(string text, string form) => (this.text, this.form) = (text, form);

    /// <summary>Empty when none is written.</summary>
    public string User { get; private set; } = "";

    /// <summary>Without the brackets of an IPv6 address; empty when none is written.</summary>
    public string Host { get; private set; } = "";

    /// <summary>Null when none is written.</summary>
    public int? Port { get; private set; }

    /// <summary>Begins with '/', or is empty.</summary>
    public string Path { get; private set; } = "";

    /// <summary>Takes an address apart.</summary>
    /// <param name="address">Of any kind but <c>file:</c>.</param>
    /// <param name="form">How one of that kind is written; for errors.</param>
    /// <param name="known">The names that may stand behind '?'.</param>
    /// <exception cref="HoldfastException">Kind Usage: it is no such address; the message names the part.</exception>
    public static StoreUrl Parse(StoreAddress address, string form, ReadOnlySpan<string> known)
    {
        string rest = address.Path;
        // First of all, so that no message shows it.
        string shown = address.Text;
        int authorityEnd = rest.AsSpan(Math.Min(2, rest.Length)).IndexOfAny('/', '?');
        string authority = rest[Math.Min(2, rest.Length)..(authorityEnd < 0 ? rest.Length : authorityEnd + 2)];
        int at = authority.LastIndexOf('@');
        int colon = at < 0 ? -1 : authority.AsSpan(0, at).IndexOf(':');
        if (colon >= 0) shown = $"{address.Scheme}://{authority[..colon]}:…{authority[at..]}/…";

        var url = new StoreUrl(shown, form);
        if (!rest.StartsWith("//", StringComparison.Ordinal)) throw url.Wrong($"'//' must follow '{address.Scheme}:'");
        if (colon >= 0) throw url.Wrong("it holds a password", "leave it out: others could read it in the list of processes");
        if (rest.AsSpan().ContainsAnyInRange('\0', '\x1f')) throw url.Wrong("it holds a control character");
        if (rest.Contains('#', StringComparison.Ordinal)) throw url.Wrong("'#' has no meaning in it", "write %23 where it is part of a name");
        url.User = url.Unescape(at < 0 ? "" : authority[..at], "user");
        url.ReadHost(authority[(at + 1)..]);

        string tail = rest[(2 + authority.Length)..];
        int query = tail.IndexOf('?', StringComparison.Ordinal);
        url.Path = url.Unescape(query < 0 ? tail : tail[..query], "path");
        if (query >= 0) url.ReadValues(tail[(query + 1)..], known);
        return url;
    }

    /// <summary>The value of a name; null when it is not there.</summary>
    public string? Value(string name) => values.GetValueOrDefault(name);

    /// <summary>A value that is one of a few words; the first of them when it is not there.</summary>
    public string Word(string name, params ReadOnlySpan<string> words)
    {
        if (Value(name) is not { } value) return words[0];
        foreach (string word in words)
        {
            if (value == word) return word;
        }

        throw Wrong($"{name}={value}: {string.Join(" or ", words!)} expected");
    }

    /// <summary>A whole number of units, with an optional letter behind it; null when it is not there.</summary>
    public TimeSpan? Span(string name, char letter, TimeSpan unit, int most)
    {
        if (Value(name) is not { } value) return null;
        string digits = value.EndsWith(letter) ? value[..^1] : value;
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count <= most
            ? count * unit
            : throw Wrong($"{name}={value}: a number from 0 to {most} expected, such as {name}=30{letter}");
    }

    /// <summary>An absolute path of this machine; null when it is not there.</summary>
    public string? File(string name) => Value(name) switch
    {
        null => null,
        "" => throw Wrong($"{name}=: the name of a file expected"),
        ['~', '/', .. var rest] => $"{Environment.GetFolderPath(Environment.SpecialFolder.UserProfile)}/{rest}",
        var value => System.IO.Path.GetFullPath(value),
    };

    /// <summary>The error of this address.</summary>
    /// <param name="what">Which part, and what is wrong with it.</param>
    /// <param name="hint">What to write; null for the form of an address.</param>
    public HoldfastException Wrong(string what, string? hint = null) =>
        new(ErrorKind.Usage, $"store address '{text}': {what}", hint ?? $"write {form}");

    private void ReadHost(string authority)
    {
        string port = "";
        if (authority.StartsWith('['))
        {
            int end = authority.IndexOf(']', StringComparison.Ordinal);
            if (end < 0) throw Wrong("']' is missing behind the host's address");
            Host = authority[1..end];
            if (end + 1 < authority.Length) port = authority[(end + 1)..];
        }
        else
        {
            int colon = authority.IndexOf(':', StringComparison.Ordinal);
            Host = colon < 0 ? authority : authority[..colon];
            if (colon >= 0) port = authority[colon..];
        }

        // What follows goes to other programs as an argument.
        if (Host.StartsWith('-') || Host.AsSpan().ContainsAny(" \t%\\")) throw Wrong($"'{Host}' is no name of a host");
        if (User.StartsWith('-')) throw Wrong($"'{User}' is no name of a user");
        if (port.Length == 0) return;
        Port = port[0] == ':' && int.TryParse(port.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && number is > 0 and < 65536
            ? number
            : throw Wrong($"'{port}' is no port: ':' and a number from 1 to 65535 expected");
    }

    private void ReadValues(string query, ReadOnlySpan<string> known)
    {
        foreach (string part in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? part : part[..equals];
            if (!known.Contains(name)) throw Wrong($"'{name}' is not known", $"behind '?' there may be {string.Join(", ", known!)}");
            if (equals < 0) throw Wrong($"'{name}' has no value", $"write {name}=…");
            if (!values.TryAdd(name, Unescape(part[(equals + 1)..], name))) throw Wrong($"'{name}' is given twice");
        }
    }

    private string Unescape(string part, string name)
    {
        string plain = Uri.UnescapeDataString(part);
        if (plain.AsSpan().ContainsAnyInRange('\0', '\x1f')) throw Wrong($"the {name} holds a control character");
        return plain;
    }
}
