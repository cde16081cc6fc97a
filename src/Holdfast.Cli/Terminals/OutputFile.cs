using System.Runtime.InteropServices;
using Holdfast.Files;
using Holdfast.Log;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Cli.Terminals;

/// <summary>
/// A file that the user names for writing, any bytes as name. It is written beside its place and takes it when it is whole
/// and durable, so that nothing half done ever has the name; what is there and is no plain file is written into.
/// </summary>
internal sealed class OutputFile : IDisposable
{
    // Only for its owner: what is exported may be secret, and the password weak.
    private const uint Mode = 0x180;

    private readonly string name;
    private readonly byte[] target;
    private byte[]? staging;

    private OutputFile(string name, byte[] target, bool isPlain)
    {
        this.name = name;
        this.target = target;
        staging = isPlain ? [.. target, .. ".part"u8] : null;
        Stream = new FileStream(Open(staging ?? target, LibC.OpenWriteOnly | LibC.OpenCreate | LibC.OpenTruncate), FileAccess.Write);
    }

    /// <summary>Receives the content.</summary>
    public FileStream Stream { get; }

    /// <summary>Begins the file.</summary>
    /// <param name="name">Its name, bytes that are not UTF-8 escaped.</param>
    public static async Task<OutputFile> CreateAsync(string name)
    {
        byte[] target = SurrogateEscape.Encode(name);
        return new OutputFile(name, target, await IsPlainAsync(target).ConfigureAwait(false));
    }

    /// <summary>The content is whole: makes it durable under its name.</summary>
    public unsafe void Commit()
    {
        if (staging is null)
        {
            Stream.Flush();
            return;
        }

        Stream.Flush(flushToDisk: true);
        fixed (byte* from = Terminated(staging), to = Terminated(target))
        {
            if (LibC.Rename(from, to) != 0) throw Failed();
        }

        staging = null;
        int slash = Array.LastIndexOf(target, (byte)'/');
        byte[] directory = slash < 0 ? "."u8.ToArray() : target[..Math.Max(1, slash)];
        using SafeFileHandle opened = Open(directory, LibC.OpenReadOnly);
        if (LibC.Sync(opened) != 0) throw Failed();
    }

    /// <summary>Ends it; without <see cref="Commit"/> nothing of it is left.</summary>
    public unsafe void Dispose()
    {
        Stream.Dispose();
        if (staging is null) return;
        fixed (byte* path = Terminated(staging)) _ = LibC.Unlink(path);
    }

    /// <summary>Whether a plain file has the name, or nothing.</summary>
    private static async ValueTask<bool> IsPlainAsync(byte[] path)
    {
        int slash = Array.LastIndexOf(path, (byte)'/');
        Result<DirectoryTree> parent = DirectoryTree.TryOpen(slash < 0 ? "."u8 : path.AsSpan(0, Math.Max(1, slash)));
        if (!parent.Ok) return false;
        using DirectoryTree tree = parent.Value;
        var caller = new Caller { Uid = 0, Gid = 0 };
        Result<Node> node = await tree.LookupAsync(caller, tree.Root, path.AsMemory(slash + 1)).ConfigureAwait(false);
        return node.Error == Errno.NoEntry || (node.Ok && node.Value.Attributes.Kind == NodeKind.Regular);
    }

    private static byte[] Terminated(byte[] path) => [.. path, 0];

    private unsafe SafeFileHandle Open(byte[] path, int flags)
    {
        int descriptor;
        fixed (byte* start = Terminated(path)) descriptor = LibC.Open(start, flags | LibC.OpenCloseOnExec, Mode);
        if (descriptor < 0) throw Failed();
        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    private HoldfastException Failed() => new(
        ErrorKind.Failed, $"{name}: {((Errno)Marshal.GetLastPInvokeError()).Describe()}", "choose a file that you may write to");
}
