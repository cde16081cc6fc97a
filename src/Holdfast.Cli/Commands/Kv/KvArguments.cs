using System.CommandLine;
using Holdfast.Bitcask;
using Holdfast.Cli.Values;
using Holdfast.Files;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands.Kv;

/// <summary>Arguments that several verbs of a key-value store take.</summary>
internal static class KvArguments
{
    /// <summary>The argument DIR.</summary>
    public static Argument<string> Directory(string description = "directory of the store") => new("DIR") { Description = description };

    /// <summary>The argument KEY.</summary>
    public static Argument<string> Key() => new("KEY") { Description = "key: the bytes of the argument, 1 to 65,535" };

    /// <summary><c>--base64</c>: a key with zero bytes cannot be an argument.</summary>
    public static Option<bool> Base64() => Flag("--base64", "keys are given in Base64, as keyBase64 of --json shows them");

    /// <summary>The absolute path of a directory.</summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="name">The argument or flag it stands at, for the error.</param>
    public static string ReadDirectory(string text, string name = "DIR")
    {
        if (text.Length == 0) throw UsageError.Of($"{name} is empty");
        return SurrogateEscape.HasEscape(text)
            ? throw UsageError.Of($"{SurrogateEscape.Readable(text)}: the path of a store must be UTF-8", "rename the directory")
            : Path.TrimEndingDirectorySeparator(Path.GetFullPath(text));
    }

    /// <summary>The bytes of a key, or of a part of one.</summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="isBase64">Whether it is Base64.</param>
    /// <param name="name">The argument or flag it stands at, for the error.</param>
    public static byte[] ReadKey(string text, bool isBase64, string name)
    {
        byte[] key = isBase64 ? Decode(text, name) : SurrogateEscape.Encode(text);
        return key.Length is > 0 and <= BitcaskStore.MaxKeyBytes
            ? key
            : throw UsageError.Of($"{name}: {key.Length} bytes; a key has 1 to {BitcaskStore.MaxKeyBytes}");
    }

    private static byte[] Decode(string text, string name)
    {
        try
        {
            return Convert.FromBase64String(text);
        }
        catch (FormatException e)
        {
            throw UsageError.Of(
                $"{name}: '{SurrogateEscape.Readable(text)}' is not Base64", "leave out --base64 to give the key as it is", e);
        }
    }
}
