using System.Runtime.InteropServices;
using Holdfast.Cli.Values;
using Holdfast.Files;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Cli.Terminals;

/// <summary>Opens files that the user names for reading: any bytes as name, and <c>-</c> for standard input.</summary>
internal static class InputFile
{
    /// <summary>The name that means standard input.</summary>
    public const string StandardInputName = "-";

    /// <summary>Opens it; the caller disposes the stream.</summary>
    /// <param name="name">Its name, bytes that are not UTF-8 escaped.</param>
    /// <param name="flag">The flag that named it, for errors.</param>
    public static Stream Open(string name, string flag) =>
        name == StandardInputName ? StandardInput() : new InputStream(OpenHandle(name, flag));

    /// <summary>Standard input; disposing the stream leaves it open.</summary>
    public static Stream StandardInput() => new InputStream(new SafeFileHandle(LibC.StandardInput, ownsHandle: false));

    /// <summary>All of a file.</summary>
    public static async Task<byte[]> ReadAllAsync(string name, string flag, CancellationToken cancellationToken)
    {
        try
        {
            Stream stream = Open(name, flag);
            await using (stream.ConfigureAwait(false))
            {
                using var content = new MemoryStream();
                await stream.CopyToAsync(content, cancellationToken).ConfigureAwait(false);
                return content.ToArray();
            }
        }
        catch (IOException e)
        {
            throw UsageError.Of($"{flag}: {name}: {e.Message}", inner: e);
        }
    }

    /// <summary>Opens a file that is to be read twice; null when it is one that cannot be (a pipe).</summary>
    public static FileStream? TryOpenSeekable(string name, string flag)
    {
        if (name == StandardInputName) return null;
        var stream = new FileStream(OpenHandle(name, flag), FileAccess.Read);
        if (stream.CanSeek) return stream;
        stream.Dispose();
        return null;
    }

    private static unsafe SafeFileHandle OpenHandle(string name, string flag)
    {
        byte[] path = [.. SurrogateEscape.Encode(name), 0];
        int descriptor;
        fixed (byte* start = path) descriptor = LibC.Open(start, LibC.OpenReadOnly | LibC.OpenCloseOnExec, 0);
        if (descriptor >= 0) return new SafeFileHandle(descriptor, ownsHandle: true);
        var errno = (Errno)Marshal.GetLastPInvokeError();
        throw UsageError.Of($"{flag}: {name}: {errno.Describe()}", errno == Errno.NoEntry ? "check the name of the file" : "name a file that this user may read");
    }
}
